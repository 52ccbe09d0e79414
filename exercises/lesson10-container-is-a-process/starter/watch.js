'use strict';

// Looks at the kitchen display every two seconds, at the only address that it has.
const look = async () => {
  try {
    const tickets = await (await fetch('http://127.0.0.1:3000/')).json();
    console.log(`the display shows ${tickets.length} tickets`);
  } catch (error) {
    console.log(`the display is dark: ${error.cause?.code ?? error.message}`);
  }
};

setInterval(look, 2000);

process.on('SIGTERM', () => process.exit(0));
