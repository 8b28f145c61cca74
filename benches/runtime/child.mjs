// A process that ends with this one, and takes its folder along.
import { rmSync } from "node:fs";

/** Gives `{ ended, stop() }`. `ended` settles when the process has; `stop` ends it, by `signal`, and waits for that. */
export function minding(child, folder, signal) {
  const ended = new Promise((settle) => child.once("exit", settle));
  const kill = () => void child.kill(signal);
  process.once("exit", kill);
  const stop = async () => {
    process.off("exit", kill);
    kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  return { ended, stop };
}
