"""A stand-in for the live socket, for what a living plant will not do on demand: every quality, 200 values at 10 Hz."""

import json

SOCKET = """
  window.WebSocket = class {
    static OPEN = 1;
    readyState = 0;
    constructor() { setTimeout(() => { this.readyState = 1; this.onopen(); this.text({ type: 'hello', version: 'x',
      plant_time: null, fact: 0, link: { up: true, age_s: 0 } }); }, 10); }
    text(message) { this.onmessage({ data: JSON.stringify(message) }); }
    close() {}
    send(sent) {
      const asked = JSON.parse(sent);
      this.text({ type: 'subscribed', id: 1, signals: asked.signals, wide: [], unknown: [] });
      clearInterval(this.timer);
      const n = asked.signals.length;
      const show = () => {
        const floats = Math.ceil((16 + 3 * n) / 4) * 4;
        const view = new DataView(new ArrayBuffer(floats + 4 * n + 8));
        view.setUint8(0, 2); view.setUint8(1, 1); view.setUint16(2, n, true);
        view.setFloat64(8, Date.now() / 1000, true);
        for (let i = 0; i < n; i++) {
          const key = window.order.indexOf(asked.signals[i]);
          view.setUint8(16 + i, (key < 0 ? 1 : key) % 8);
          view.setUint16(16 + n + 2 * i, 5, true);
          view.setFloat32(floats + 4 * i, 1 + i + (window.moving ? Math.random() : 0), true);
        }
        this.onmessage({ data: view.buffer });
      };
      show();
      this.timer = setInterval(show, window.moving ? 100 : 300);
    }
  };
"""


def order_script(paths):
    """Show the qualities in the order of their codes on these paths, and good on all others."""
    return f"window.order = {json.dumps(paths)};" + SOCKET


def moving_script():
    """Change every value ten times a second."""
    return "window.order = []; window.moving = true;" + SOCKET
