import uWS from 'uWebSockets.js';

/** Sends every WebSocket message back: what uWebSockets.js itself costs. Prints `{"port": …}`. */

const MOST_BYTES = 64 * 1024 * 1024;

uWS
  .App()
  .ws('/*', {
    maxPayloadLength: MOST_BYTES,
    message: (socket, message, isBinary) => void socket.send(message, isBinary),
  })
  .listen('127.0.0.1', 0, (socket) => {
    if (!socket) throw new Error('cannot listen');
    console.log(JSON.stringify({ port: uWS.us_socket_local_port(socket) }));
  });
