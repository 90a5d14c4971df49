// The view of one walk: address, access and agent above; the path in the middle; the entry, the caches and the registers below.

import type { JSX } from "preact";
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Outcome } from "../../src/index.js";
import { describeOutcome } from "../../src/paging/describe.js";
import { exampleFile, type GivenFile } from "../example.js";
import { noteRoute } from "../shell/route.js";
import { Stepper } from "../shell/stepper.js";
import { useDropped } from "../shell/use-dropped.js";
import { hex } from "../words.js";
import { Boxes } from "./boxes.js";
import { Caches } from "./caches.js";
import { ControlBits } from "./controls.js";
import { EntryBits } from "./entry.js";
import { FileChoice, give } from "./file.js";
import { agentOf, type Path, pathOf } from "./path.js";
import { type AccessChoice, type Agent, accesses, deviceAccesses, openScene, PASID, type Scene } from "./scene.js";

const FIRST = 0xffffffffff600000n;

/** The view; what it shows first is in the fragment. */
export function WalkView({ parameters }: { parameters: URLSearchParams }): JSX.Element {
  const [file, setFile] = useState<GivenFile>(exampleFile);
  const [cpu, setCpu] = useState<number | undefined>(undefined);
  const [scene, setScene] = useState<Scene>();
  const [error, setError] = useState("");
  const choose = useCallback((chosen: GivenFile): void => {
    setCpu(undefined);
    setFile(chosen);
  }, []);
  useDropped(useCallback((dropped: File) => give(dropped, choose, setError), [choose]));
  useEffect(() => {
    let wanted = true;
    openScene(file.bytes, file.name, cpu).then(
      (opened) => {
        if (!wanted) return;
        setError("");
        setScene(opened);
      },
      (reason: Error) => wanted && setError(reason.message),
    );
    return () => {
      wanted = false;
    };
  }, [file, cpu]);
  return (
    <>
      {error !== "" && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      {scene ? (
        <Walk key={scene.name} scene={scene} parameters={parameters} onCpu={setCpu} />
      ) : (
        <p aria-live="polite">The engine starts …</p>
      )}
      <FileChoice name={file.name} onFile={choose} onError={setError} />
    </>
  );
}

function Walk(props: { scene: Scene; parameters: URLSearchParams; onCpu: (cpu: number) => void }): JSX.Element {
  const { scene, parameters, onCpu } = props;
  const [text, setText] = useState(() => parameters.get("address") ?? hex(scene.places[0]?.address ?? FIRST).slice(2));
  const [by, setBy] = useState<Agent>(parameters.get("by") === "pasid" ? "pasid" : "cpu");
  const [access, setAccess] = useState<AccessChoice>(() => choiceOf(parameters.get("access")));
  const [step, setStep] = useState(Number(parameters.get("step") ?? Number.POSITIVE_INFINITY));
  const [level, setLevel] = useState<number>();
  // The machine changes by itself: this says that it is to be looked at again.
  const [, setChange] = useState(0);
  const [done, setDone] = useState("");
  const address = parseAddress(text);
  const made: AccessChoice = by === "pasid" && !deviceAccesses.includes(access) ? "user-read" : access;
  const path = address === undefined ? undefined : pathOf(scene.machine, by, address, accesses[made]);
  const last = path ? path.columns.length + 1 : 0;
  const now = Math.min(Number.isFinite(step) && step >= 0 ? step : last, last);
  useEffect(() => noteRoute("walk", { address: text, access: made, by, step: now === last ? undefined : now }));
  const act = (action: () => string): void => {
    setDone(action());
    setChange((count) => count + 1);
  };
  const shown =
    path?.columns.find((column) => column.level === level) ?? path?.columns[Math.min(now, path.columns.length) - 1];
  return (
    <>
      <form class="bar" onSubmit={(event) => event.preventDefault()}>
        <label>
          Address
          <input
            class="mono"
            value={text}
            size={18}
            spellcheck={false}
            autocomplete="off"
            aria-invalid={address === undefined}
            onInput={(event) => setText(event.currentTarget.value.trim())}
          />
        </label>
        <label>
          or
          <select
            value=""
            onChange={(event) => {
              setText(event.currentTarget.value);
              setStep(Number.POSITIVE_INFINITY);
            }}
          >
            <option value="">an example …</option>
            {scene.places.map((place) => (
              <option key={place.text} value={hex(place.address).slice(2)}>
                {place.text}
              </option>
            ))}
          </select>
        </label>
        <label>
          Access
          <select value={made} onChange={(event) => setAccess(event.currentTarget.value as AccessChoice)}>
            {(by === "pasid" ? deviceAccesses : (Object.keys(accesses) as AccessChoice[])).map((name) => (
              <option key={name} value={name}>
                {name.replace("-", " ")}
              </option>
            ))}
          </select>
        </label>
        <label>
          by
          <select
            value={by === "pasid" ? "pasid" : `cpu${scene.cpu ?? ""}`}
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              setBy(chosen === "pasid" ? "pasid" : "cpu");
              const number = Number(chosen.slice(3));
              if (chosen !== "pasid" && number !== scene.cpu) onCpu(number);
            }}
          >
            {(scene.cpus.length > 0 ? scene.cpus : [scene.cpu]).map((number) => (
              <option key={number} value={`cpu${number ?? ""}`}>
                CPU {number ?? ""}
              </option>
            ))}
            <option value="pasid">a device, PASID {PASID}</option>
          </select>
        </label>
      </form>
      {path && address !== undefined ? (
        <>
          <Stepper step={now} last={last} what="the walk" onStep={setStep} />
          <Boxes
            path={path}
            address={address}
            levels={scene.machine.levels}
            step={now}
            level={shown?.level}
            onLevel={setLevel}
          />
          <Ending path={path} finished={now === last} step={now} />
          <div class="panels">
            {shown && (
              <EntryBits
                column={shown}
                onEntry={(entry) =>
                  act(() => {
                    scene.machine.frames.writeEntry((BigInt(shown.table) << 12n) + BigInt(shown.index * 8), entry);
                    return `the entry of level ${shown.level} was changed; no cache notices`;
                  })
                }
              />
            )}
            <Caches
              agent={agentOf(scene.machine, by)}
              path={path}
              done={done}
              actions={actionsOf(scene, by, address, made).map(({ name, act: action }) => ({
                name,
                act: () =>
                  act(() => {
                    const outcome = action();
                    return outcome ? `${name}: ${describeOutcome(outcome)}` : name;
                  }),
              }))}
            />
            <ControlBits
              controls={scene.machine.cpus[0]?.controls}
              onChange={(bits) =>
                act(() => {
                  scene.machine.cpus[0]?.setControls(bits);
                  return "a control was changed";
                })
              }
            />
          </div>
        </>
      ) : (
        <p role="alert" class="error">
          Expected up to 16 hexadecimal digits.
        </p>
      )}
      <p class="quiet">
        {scene.name}: {scene.tables} tables, {scene.machine.levels} levels.{" "}
        {scene.warnings.length > 0 && `Odd about it: ${scene.warnings.join(" ")}`}
      </p>
    </>
  );
}

function Ending({ path, finished, step }: { path: Path; finished: boolean; step: number }): JSX.Element {
  const { outcome, answer, columns, start } = path;
  const begins =
    start.kind === "translation"
      ? `An access now would not walk: ${start.cache} has the translation.`
      : start.level < (columns[0]?.level ?? 0)
        ? `A walk now would begin at the table of level ${start.level}: a paging-structure cache has what is above.`
        : "A walk now begins at the root: nothing of the path is cached.";
  const stale = describeOutcome(outcome) !== describeOutcome(answer);
  return (
    <section class={`ending ${finished ? outcome.kind : "open"}`} aria-live="polite">
      <p>
        {finished ? (
          <>
            <b>{outcome.kind === "ok" ? "✓ Translated" : "✗ Refused"}:</b> {describeOutcome(outcome)}.
          </>
        ) : step === 0 ? (
          "The root is in CR3."
        ) : (
          `${step} ${step === 1 ? "entry is" : "entries are"} read.`
        )}{" "}
        {finished && begins}
      </p>
      {finished && stale && (
        <p class="stale">
          <b>⚠ Caches differ from the tables:</b> an access now would be told: {describeOutcome(answer)}.
        </p>
      )}
    </section>
  );
}

function actionsOf(scene: Scene, by: Agent, address: bigint, access: AccessChoice): Action[] {
  const [cpu] = scene.machine.cpus;
  const [iommu] = scene.machine.iommus;
  if (!cpu || !iommu) return [];
  return by === "cpu"
    ? [
        { name: "Access", act: () => cpu.translate(address, accesses[access]) },
        { name: "INVLPG", act: () => quiet(() => cpu.invlpg(address)) },
        { name: "Flush everything", act: () => quiet(() => cpu.flushAll()) },
      ]
    : [
        { name: "Request", act: () => iommu.request(PASID, address, accesses[access]) },
        { name: "Invalidate the page", act: () => quiet(() => iommu.invalidatePages(PASID, address & ~0xfffn)) },
        { name: "Invalidate the PASID", act: () => quiet(() => iommu.invalidatePasid(PASID)) },
      ];
}

/** Something that is done to the caches, and what came of it if that is an access. */
interface Action {
  name: string;
  act: () => Outcome | undefined;
}

function quiet(act: () => void): undefined {
  act();
}

function choiceOf(name: string | null): AccessChoice {
  return name !== null && Object.hasOwn(accesses, name) ? (name as AccessChoice) : "user-read";
}

/** A hexadecimal address, with or without 0x and _; undefined if it is none. */
export function parseAddress(text: string): bigint | undefined {
  const digits = text.replace(/^0x/i, "").replaceAll("_", "");
  return /^[0-9a-f]{1,16}$/i.test(digits) ? BigInt(`0x${digits}`) : undefined;
}
