"""Starts MiniStack with what it lacks, and ends it with whoever started it.

It leans on private names of the pinned version: each is looked up first, and a missing one ends the start.

1. A Lambda's error keeps its name (errorType), as Step Functions matches it in Retry and Catch, and its environment: only
   what crashes starts cold again.
2. New code does not kill invocations under way: on AWS they end in their old environment.
3. PutEvents takes events of AWS itself (source aws.ec2): the fleet beside it stands for EC2, which MiniStack's own does not.
4. A template may have alarms over expressions. They are kept under their first metric, and never act.
5. The history of an execution has the states inside Parallel and Map, too.
6. The end of standard input is the end of MiniStack, so that nothing stays when the test is killed.
"""
import json
import os
import signal
import sys
import threading
import time

from ministack import app
from ministack.core import lambda_runtime as runtime
from ministack.services import eventbridge as events
from ministack.services import lambda_svc as service
from ministack.services import stepfunctions as workflow
from ministack.services.cloudformation import provisioners


def required(owner, name):
    if not hasattr(owner, name):
        sys.exit(f"launcher: {owner.__name__} has no {name} any more: this version of MiniStack needs another launcher")
    return getattr(owner, name)


def replaced(text, old, new):
    if text.count(old) != 1:
        sys.exit(f"launcher: MiniStack's Node worker has no {old!r} any more: this version needs another launcher")
    return text.replace(old, new)


def keep_error_names():
    script = required(runtime, "_NODEJS_WORKER_SCRIPT")
    # MiniStack ends the worker of any other status.
    script = replaced(
        script,
        'status: "error", error: String(err.message || err), trace: err.stack || ""',
        'status: "ok", thrown: true, error: String(err.message || err), trace: err.stack || "", errorType: err.name',
    )
    script = replaced(
        script, "error: e.message, trace: e.stack", "error: e.message, trace: e.stack, errorType: e.name"
    )
    runtime._NODEJS_WORKER_SCRIPT = script

    last = threading.local()
    invoke = required(required(runtime, "Worker"), "invoke")
    execute = required(service, "_execute_function_warm")

    def named_invoke(self, *args, **kwargs):
        result = invoke(self, *args, **kwargs)
        last.error_type = result.get("errorType")
        if result.get("thrown"):
            result["status"] = "error"
        return result

    def named_execute(func, event, request_id):
        last.error_type = None
        result = execute(func, event, request_id)
        body = result.get("body")
        if result.get("error") and isinstance(body, dict) and last.error_type:
            body["errorType"] = last.error_type
        return result

    runtime.Worker.invoke = named_invoke
    service._execute_function_warm = named_execute


def let_invocations_end():
    workers = required(runtime, "_workers")
    lock = required(runtime, "_lock")
    kill = required(runtime, "kill_workers")
    required(service, "invalidate_worker")

    def is_meant(key, name, qualifier, account, region):
        parts = key.split(":")
        if len(parts) != 4:
            sys.exit(f"launcher: a pool of workers is called {key!r}: this version needs another launcher")
        return parts[2] == name and all(
            wanted is None or wanted == part
            for wanted, part in ((account, parts[0]), (region, parts[1]), (qualifier, parts[3]))
        )

    def end_later(worker):
        while worker.in_use:
            time.sleep(0.2)
        kill([worker])

    def retire(func_name, qualifier=None, account=None, region=None):
        with lock:
            keys = [key for key in workers if is_meant(key, func_name, qualifier, account, region)]
            doomed = [worker for key in keys for worker in workers.pop(key, [])]
            busy = [worker for worker in doomed if worker.in_use]
        kill([worker for worker in doomed if worker not in busy])
        for worker in busy:
            threading.Thread(target=end_later, args=(worker,), daemon=True).start()

    service.invalidate_worker = retire


def take_events_of_aws():
    put = required(events, "_put_events")

    def put_as_aws(data, allow_aws_source=True):
        return put(data, allow_aws_source=True)

    events._put_events = put_as_aws


def keep_alarms_over_expressions():
    record = required(provisioners, "_cw_metric_alarm_record")

    def record_any(name, props):
        stats = [each["MetricStat"]["Metric"] for each in props.get("Metrics") or [] if each.get("MetricStat")]
        if not stats:
            return record(name, props)
        plain = {key: value for key, value in props.items() if key != "Metrics"}
        return record(name, {**plain, **stats[0], "ActionsEnabled": False})

    provisioners._cw_metric_alarm_record = record_any


def tell_inner_states():
    here = threading.local()
    add = required(workflow, "_add_event")
    run = required(workflow, "_run_sub_machine")

    def run_told(states, start_at, input_data, execution, ctx):
        outer = getattr(here, "states", None), getattr(here, "execution", None)
        here.states, here.execution = states, execution
        try:
            return run(states, start_at, input_data, execution, ctx)
        finally:
            here.states, here.execution = outer

    def told(kind, execute):
        def execute_told(state, raw_input, *args, **kwargs):
            states, execution = getattr(here, "states", None), getattr(here, "execution", None)
            name = next((key for key, value in (states or {}).items() if value is state), None)
            if name is None:
                return execute(state, raw_input, *args, **kwargs)
            entered = {"name": name, "input": json.dumps(raw_input)}
            add(execution, f"{kind}StateEntered", {"stateEnteredEventDetails": entered})
            output, following = execute(state, raw_input, *args, **kwargs)
            left = {"name": name, "output": json.dumps(output)}
            add(execution, f"{kind}StateExited", {"stateExitedEventDetails": left})
            return output, following

        return execute_told

    workflow._run_sub_machine = run_told
    for kind in ("Task", "Choice", "Pass", "Map"):
        name = f"_execute_{kind.lower()}"
        setattr(workflow, name, told(kind, required(workflow, name)))


def end_with_parent():
    def watch():
        while os.read(0, 1024):  # Not by sys.stdin: its lock would stand in the way of a clean end.
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    main = required(app, "main")
    keep_error_names()
    let_invocations_end()
    take_events_of_aws()
    keep_alarms_over_expressions()
    tell_inner_states()
    end_with_parent()
    main()
