import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A collector of OpenTelemetry that keeps what it is sent, as bytes: one protobuf `ExportTraceServiceRequest` each. */
export class Collector {
  readonly received: Buffer[] = [];

  private constructor(private readonly server: Server) {}

  /**
   * @param answer by default that it has taken everything.
   * @param tls with it the collector speaks HTTPS.
   */
  static async start(
    answer = (response: ServerResponse): unknown => response.end(),
    tls?: https.ServerOptions,
  ): Promise<Collector> {
    const server = tls === undefined ? createServer() : https.createServer(tls);
    const collector = new Collector(server);
    server.on('request', (request, response) => {
      void buffer(request).then((bytes) => {
        if (request.url === '/v1/traces') collector.received.push(bytes);
        answer(response);
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    return collector;
  }

  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  get url(): string {
    const scheme = this.server instanceof https.Server ? 'https' : 'http';
    return `${scheme}://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }
}
