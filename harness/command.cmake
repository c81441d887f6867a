# The constrictor command. It links no Python.
#
# Out: CONSTRICTOR_COMMAND_SOURCES  everything but main.c, for the command and for its tests
#      CONSTRICTOR_COMMAND_MAIN     main.c
# Needs the definitions _GNU_SOURCE, CONSTRICTOR_SOURCE_DIR (a text: the root of the sources) and, for main.c,
# CONSTRICTOR_VERSION (a text).
set(CONSTRICTOR_COMMAND_SOURCES
    cmd_cc.c cmd_diverge.c cmd_exec.c cmd_explain.c cmd_fuzz.c cmd_gate.c
    cmd_list.c cmd_merge.c cmd_races.c cmd_replay.c cmd_run.c cmd_shrink.c cmd_soak.c
    cmd_target.c
    command.c finding.c names.c options.c outcome.c status.c
    detect/frames.c detect/pipe.c detect/places.c detect/render.c detect/signature.c detect/story.c detect/story_json.c
    detect/story_order.c detect/symbolizer.c
    exec/campaign.c exec/canary.c exec/channel.c exec/clock.c exec/confirm.c exec/crew.c exec/deal.c exec/diverge.c
    exec/diverge_text.c exec/engine.c exec/engine_findings.c exec/exhaustive.c exec/needed.c
    exec/aim.c exec/batch.c exec/explore.c exec/explore_judge.c
    exec/feedback.c exec/interrupt.c exec/jsonl.c exec/known.c exec/known_read.c exec/live.c
    exec/output.c exec/pattern.c exec/portfolio.c exec/preflight.c exec/profile.c exec/races.c exec/record.c
    exec/report.c
    exec/results.c exec/sanitize.c exec/seed.c exec/session.c exec/set.c exec/shard.c exec/spawn.c exec/subject.c
    exec/targets.c exec/tools.c exec/totals.c exec/units.c exec/window.c exec/within.c exec/worker.c
    gate/bisect.c gate/compare.c gate/gate.c gate/judge.c gate/side.c gate/state.c gate/summary.c
    soak/beat.c soak/ledger.c soak/plan.c soak/soak.c soak/unit.c soak/usage.c soak/watch.c
    store/form.c store/merge.c store/store.c store/unit.c
    trace/align.c trace/numbers.c trace/order.c trace/reader.c trace/relocate.c trace/schedule.c trace/shrink.c
    trace/steps.c trace/window.c trace/writer.c
)
list(TRANSFORM CONSTRICTOR_COMMAND_SOURCES PREPEND ${CMAKE_CURRENT_LIST_DIR}/)
set(CONSTRICTOR_COMMAND_MAIN ${CMAKE_CURRENT_LIST_DIR}/main.c)
