/** A port before a port, which can be closed: whoever then calls is refused by the machine itself. */
import { once } from 'node:events';
import net from 'node:net';
import type { AddressInfo } from 'node:net';

export class Forwarder {
  private readonly open = new Set<net.Socket>();
  private over = false;
  private constructor(
    private readonly server: net.Server,
    /** The port behind it. */
    readonly target: number,
    readonly port: number,
  ) {}

  static async to(target: number): Promise<Forwarder> {
    const server = net.createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const forwarder = new Forwarder(server, target, (server.address() as AddressInfo).port);
    server.on('listening', () => forwarder.over && server.close());
    server.on('connection', (caller) => forwarder.forward(caller, net.connect(target, '127.0.0.1')));
    return forwarder;
  }

  /** Ends every connection, and accepts none until {@link listen}. */
  stop(): void {
    if (this.server.listening) this.server.close();
    for (const socket of this.open) socket.destroy();
  }

  listen(): void {
    if (!this.server.listening) this.server.listen(this.port, '127.0.0.1');
  }

  /** For good. */
  close(): void {
    this.over = true;
    this.stop();
  }

  private forward(caller: net.Socket, target: net.Socket): void {
    for (const [socket, other] of [
      [caller, target],
      [target, caller],
    ] as const) {
      this.open.add(socket);
      socket.pipe(other);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.open.delete(socket);
        other.destroy();
      });
    }
  }
}
