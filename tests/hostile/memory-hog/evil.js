const kept = [];
setInterval(() => kept.push(Buffer.alloc(8_000_000, 1)), 1);
