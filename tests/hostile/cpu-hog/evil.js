for (;;) { /* busy */ }
