// What counts instructions: valgrind, the machine's own or Debian's, and the program that it counts.
import { run } from "../command.mjs";
import { root, target } from "../place.mjs";
import { say } from "../progress.mjs";
import { environment, onPath } from "./compiler.mjs";
import { addPackages } from "./debian.mjs";

/** What a test of counts is told of both; nothing, with the reason told, where valgrind cannot be had. */
export async function counting(compiler) {
  if (!onPath("valgrind")) await addPackages(["valgrind"]);
  const valgrind = onPath("valgrind");
  if (!valgrind) {
    say("instructions are not counted: install valgrind with the system's package manager");
    return {};
  }
  const args = ["build", "--release", "--locked", "--bench", "stages", "--message-format=json"];
  const env = { ...environment(compiler), CARGO_TARGET_DIR: target };
  const { code, output } = await run(compiler.cargo, args, { env, cwd: root, quiet: true });
  const made = output.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  const program = made.find(({ executable, target: built }) => executable && built.name === "stages")?.executable;
  if (code !== 0 || !program) throw new Error(`stages was not built:\n${output.split("\n").slice(-20).join("\n")}`);
  return { EDGEWARD_STAGES: program, EDGEWARD_VALGRIND: valgrind };
}
