import type { HttpResponse, TemplatedApp } from 'uWebSockets.js';

/** The Open Inference Protocol's health endpoints, and the answer to every other path. */
export function addHealthRoutes(app: TemplatedApp, isReady: () => boolean): void {
  app.get('/v2/health/live', (response) => answer(response, '200 OK', { live: true }));
  app.get('/v2/health/ready', (response) => {
    const ready = isReady();
    answer(response, ready ? '200 OK' : '503 Service Unavailable', { ready });
  });
  app.any('/*', (response, request) => {
    const error = `there is no ${request.getMethod().toUpperCase()} ${request.getUrl()}`;
    answer(response, '404 Not Found', { error });
  });
}

function answer(response: HttpResponse, status: string, body: unknown): void {
  response.cork(() => {
    response.writeStatus(status).writeHeader('Content-Type', 'application/json');
    response.end(JSON.stringify(body));
  });
}
