// Files that the command writes: checked before the long work begins, written beside their place and then put there as a
// whole, so that nobody ever sees half of one. Node-only.
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
} from "node:fs";
import { dirname, join, resolve, sep } from "node:path";
import { InputError, systemReason } from "./errors.js";
import { holdingSignals } from "./signals.js";
import { writeAll } from "./streams.js";

/** As many links in a row as Linux follows. */
const MOST_LINKS = 40;

/** A file that can be written, as far as can be known before. */
export interface OutputFile {
  /** Puts the text in its place. @throws InputError */
  write(text: string): Promise<void>;
}

/**
 * Checks that a file can be written and that nothing is lost by it.
 *
 * @param option what the user calls it, for messages: `--html`
 * @param path as given; symbolic links are followed
 * @param inputs files that the command reads: none of them may be the target
 * @throws InputError
 */
export function checkOutputFile(option: string, path: string, inputs: readonly string[] = []): OutputFile {
  const what = `${option} ${path}`;
  check(what, path, inputs);
  return {
    async write(text) {
      // Looked at again: much can happen during a long replay.
      await holdingSignals(() => {
        const { target, before } = check(what, path, inputs);
        replace(what, target, before, text);
      });
    },
  };
}

interface Target {
  /** Where the file is or will be, links followed. */
  target: string;
  /** What is there now. */
  before: Stats | undefined;
}

function check(what: string, path: string, inputs: readonly string[]): Target {
  if (path === "" || path === "-") throw new InputError(`${what}: expected the name of a file`);
  // resolve() drops it, and would write a file of another name.
  if (path.endsWith("/") || path.endsWith(sep)) throw new InputError(`${what}: names a folder; expected a file`);
  const found = asInputError(what, () => follow(what, path));
  const { target, before } = found;
  if (before) {
    if (!before.isFile()) throw new InputError(`${what}: is ${kindOf(before)}; expected a regular file, or none yet`);
    const same = inputs.find((input) => isSame(input, before));
    if (same !== undefined) throw new InputError(`${what}: is the input ${same} itself`);
    // Replaced, it would take with it what is printed.
    if (isOpenAs(1, before) || isOpenAs(2, before)) {
      throw new InputError(`${what}: is where standard output or standard error goes`);
    }
    asInputError(what, () => accessSync(target, constants.W_OK));
    if (!canKeepOwner(before)) {
      throw new InputError(`${what}: belongs to another user or group, and would be yours if it were replaced`);
    }
  }
  const folder = dirname(target);
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new InputError(`${what}: ${folder} is no folder`);
  asInputError(`${what}: ${folder}`, () => accessSync(folder, constants.W_OK | constants.X_OK));
  return found;
}

/** Follows symbolic links to the last one, also where it leads to nothing yet. */
function follow(what: string, path: string): Target {
  let target = resolve(path);
  for (let links = 0; links <= MOST_LINKS; links++) {
    const found = lstatSync(target, { throwIfNoEntry: false });
    // A folder on the way that is none is told apart later.
    if (!found) return { target, before: undefined };
    if (!found.isSymbolicLink()) return { target, before: found };
    // A link of /proc names what is open, which need not have a name: the file itself is what counts.
    const direct = statSync(target, { throwIfNoEntry: false });
    if (direct && !direct.isFile()) return { target, before: direct };
    target = resolve(dirname(target), readlinkSync(target));
  }
  throw new InputError(`${what}: more than ${MOST_LINKS} symbolic links in a row`);
}

function replace(what: string, target: string, before: Stats | undefined, text: string): void {
  // Not made of the file's own name, which may be as long as the file system allows.
  const temporary = join(dirname(target), `.stalewalk-${process.pid}-${Date.now().toString(36)}.tmp`);
  asInputError(what, () => {
    const file = openSync(temporary, "wx", before ? 0o600 : 0o666);
    try {
      try {
        writeAll(file, Buffer.from(text));
        if (before) keepRights(file, before);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, target);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

function keepRights(file: number, { uid, gid, mode }: Stats): void {
  if (process.platform === "win32") return;
  if (uid !== process.geteuid?.() || gid !== process.getegid?.()) fchownSync(file, uid, gid);
  fchmodSync(file, mode & 0o7777);
}

function canKeepOwner({ uid, gid }: Stats): boolean {
  const me = process.geteuid?.();
  if (me === undefined || me === 0) return true;
  return uid === me && (gid === process.getegid?.() || (process.getgroups?.() ?? []).includes(gid));
}

function isOpenAs(fd: number, { dev, ino }: Stats): boolean {
  const found = fstatSync(fd);
  return found.dev === dev && found.ino === ino;
}

function isSame(path: string, { dev, ino }: Stats): boolean {
  // What cannot be looked at is reported by whoever reads it.
  try {
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.dev === dev && found.ino === ino;
  } catch {
    return false;
  }
}

function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return "a folder";
  if (stats.isFIFO()) return "a pipe (FIFO)";
  if (stats.isSocket()) return "a socket";
  return stats.isCharacterDevice() || stats.isBlockDevice() ? "a device" : "something else";
}

/** What the file system says, with the option in front. */
function asInputError<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof Error) || !("syscall" in error)) throw error;
    throw new InputError(`${what}: ${systemReason(error.message)}`);
  }
}
