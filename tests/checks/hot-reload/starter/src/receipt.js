module.exports = 'Thank you for dining with us'
