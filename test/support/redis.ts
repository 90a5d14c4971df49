// A real Redis for the tests of queues: of this machine, on a free port, in a folder of its own.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";

const NAMES = [process.env["STALEWALK_REDIS"] ?? "redis-server", "valkey-server"];

/** The server's name; undefined if this machine has none. Tests then skip and say so. */
export const redisServer: string | undefined = NAMES.find((it) => spawnSync(it, ["--version"]).status === 0);

/** What a skipped suite adds to its name. */
export const redisNote = redisServer
  ? ""
  : ` (SKIPPED: neither ${NAMES.join(" nor ")} runs here: apt-get install redis-server; STALEWALK_REDIS names another)`;

/** What a queue needs. */
export const SAFE = ["--appendonly", "yes", "--maxmemory-policy", "noeviction"] as const;

/** A server that runs. */
export class TestRedis {
  readonly folder = mkdtempSync(join(tmpdir(), "stalewalk-redis-"));
  #process: ChildProcess | undefined;
  #client: Redis | undefined;

  private constructor(
    readonly port: number,
    private readonly options: readonly string[],
  ) {}

  /** Starts one. */
  static async start(options: readonly string[] = SAFE): Promise<TestRedis> {
    const redis = new TestRedis(await freePort(), options);
    try {
      await redis.up();
      return redis;
    } catch (error) {
      await redis.end();
      throw error;
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** A client of the test's own. */
  get client(): Redis {
    const password = this.options[this.options.indexOf("--requirepass") + 1] ?? "";
    const login = this.options.includes("--requirepass") ? { password } : {};
    this.#client ??= new Redis(this.url, { maxRetriesPerRequest: null, ...login }).on("error", () => {});
    return this.#client;
  }

  /** Starts it again, with what its folder has. */
  async up(): Promise<void> {
    const where = ["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.folder, "--save", ""];
    this.#process = spawn(redisServer as string, [...where, ...this.options], { stdio: "ignore" });
    await this.client.ping();
  }

  /** As a machine does that loses its power, but for the disk. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
  }

  /** Ends it and takes its folder away. */
  async end(): Promise<void> {
    this.#client?.disconnect();
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      );
    });
  });
}
