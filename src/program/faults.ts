// What the engine finds wrong with a record of a program, in words.

import { InvalidOptionError } from "../base/errors.js";
import { operation as field, programFaults } from "../engine/abi.js";
import { readNumber } from "../engine/structures.js";
import { Operation, type OperationName, operationName } from "./operations.js";
import { type Actor, parameterName, parameters } from "./parameters.js";

/** Who there is on a machine: requester numbers below `cpus` are CPUs, those from there to `requesters` PASIDs and devices. @internal */
export interface Actors {
  readonly cpus: number;
  readonly requesters: number;
  readonly kernel: boolean;
}

/** The error for a record of a program, by its number, that the engine refuses for a fault, by its number. @internal */
export function unplayable(number: number, record: DataView, fault: number, actors: Actors): InvalidOptionError {
  const code = readNumber(record, field.code);
  const name = operationName(code);
  const refuse = (part: string, value: unknown, expected: string) =>
    new InvalidOptionError(`operation ${number}: ${part}`, value, expected);
  const kind = programFaults[fault];
  if (name === undefined || kind === "badCode") return refuse("code", code, codes(name, actors));
  switch (kind) {
    case "badRequester":
      return refuse(parameterName(name, "who"), readNumber(record, field.requester), whoIsAllowed(name, actors));
    case "badType":
      return refuse(parameterName(name, "type"), readNumber(record, field.type), parameters[name].type?.[1] ?? "0");
    case "badArgument":
      return refuse(
        parameterName(name, "argument"),
        readNumber(record, field.argument),
        `an integer from 0 to ${parameters[name].most}`,
      );
    case "noSecondRecord":
      return refuse(parameterName(name, "second"), undefined, "a second record, of code 0, that holds it");
    default:
      throw new Error(`the engine stopped at operation ${number} (${name}) without a fault`);
  }
}

function codes(name: OperationName | undefined, { kernel }: Actors): string {
  if (name === undefined || kernel) return "a code of Operation";
  return `an operation that needs no kernel (${name} does): createMachine({ kernel: {} }) makes a machine with one`;
}

function whoIsAllowed(name: OperationName, { cpus, requesters }: Actors): string {
  const who: Actor = parameters[name].who ?? "requester";
  if (who === "requester") return `a requester of this machine, 0 to ${requesters - 1}`;
  if (who === "cpu") {
    const all = Operation[name] < Operation.vmalloc ? ", or everyCpu" : "";
    return `a CPU of this machine, 0 to ${cpus - 1}${all}`;
  }
  if (requesters === cpus) return "a requester of an IOMMU: this machine has none";
  const range = cpus === requesters - 1 ? `${cpus}` : `${cpus} to ${requesters - 1}`;
  if (who === "device") return `the requester of a device with a TLB, ${range}: see Iommu.requester()`;
  return `a requester of an IOMMU, ${range}: see Iommu.requester()`;
}
