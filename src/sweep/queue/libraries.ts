// What a queue needs, loaded when one is asked for: nobody else has to install it. Node-only.
import { StalewalkError } from "../../base/errors.js";

/** What is wrong with a queue, its Redis, or jobs in it. */
export class QueueError extends StalewalkError {
  override readonly name = "QueueError";

  constructor(message: string) {
    super("queue", message);
  }
}

/** The line that installs it. */
const INSTALL = "npm install bullmq@6 ioredis@6";

/** BullMQ and the driver that it speaks to Redis with. @throws QueueError that names the install line, if one is missing */
export async function loadLibraries() {
  const [bullmq, ioredis] = await Promise.all([
    import("bullmq").catch((error: unknown) => explain(error, "bullmq")),
    import("ioredis").catch((error: unknown) => explain(error, "ioredis")),
  ]);
  const { Queue, Worker, WaitingError } = bullmq;
  return { Queue, Worker, WaitingError, Redis: ioredis.Redis };
}

function explain(error: unknown, library: string): never {
  const { code, message } = error as NodeJS.ErrnoException;
  // Only if the library itself is what is missing.
  if (code !== "ERR_MODULE_NOT_FOUND" || !message.includes(`'${library}'`)) throw error;
  throw new QueueError(`a queue needs ${library}, which is not installed beside stalewalk: ${INSTALL}`);
}
