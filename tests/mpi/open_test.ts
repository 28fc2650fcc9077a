import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { openMpi } from "../../src/mpi/mod.ts";

/** What a script says as it fails; it runs with these arguments in front of its own. */
async function complaint(
  script: string,
  permissions: string[],
  ...args: string[]
): Promise<string> {
  const path = new URL(script, import.meta.url).pathname;
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-lock", "--no-prompt", ...permissions, path, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(code, 1);
  return new TextDecoder().decode(stderr);
}

Deno.test("openMpi() says that it needs permission to call libraries", async () => {
  assertStringIncludes(
    await complaint("ranks_library.ts", []),
    "NotCapable: Cannot open MPI as calling its library needs permission: run with --allow-ffi\n",
  );
});

Deno.test("openMpi() says what to install where there is no library", async () => {
  assertStringIncludes(
    await complaint("without_library.ts", ["--allow-ffi"]),
    "Error: Cannot open MPI as none of libnone.so.40, libnone.so.12 was found: install Open MPI " +
      '(libmpi.so.40; on Debian "apt-get install openmpi-bin") or MPICH (libmpich.so.12; ' +
      '"apt-get install mpich"), or name the file as library; singleProcess() offers the same ' +
      "without a library\n",
  );
});

Deno.test("openMpi() says so where the named library does not exist", async () => {
  assertStringIncludes(
    await complaint("ranks_library.ts", ["--allow-ffi"], "libnone.so"),
    'Error: Cannot open MPI as "libnone.so" must be a library of Open MPI or of ' +
      "MPICH's family: libnone.so: ",
  );
});

Deno.test("openMpi() lists its options where one is unknown", async () => {
  const error = await assertRejects(() => openMpi({ libary: "libmpi.so" } as never), TypeError);
  assertMatch(
    error.message,
    /there is no option libary: did you mean library\? The options are library$/,
  );
});
