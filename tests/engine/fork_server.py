"""Runs of the tools, each in fresh processes, for the cost of one import.

Reads a JSON object a line: ``tool`` (of tools/), its ``arguments``, how many
``processes`` and, optionally, ``kill``: [signal's name, seconds, rank]. Answers with
the list of the processes' exit codes (negative: the signal that killed it).
"""

import contextlib
import json
import os
import runpy
import signal
import socket
import sys
import time

import mmpose.engine
import mmpose.evaluation
import mmpose.visualization  # noqa: F401
import tiny_pose

import ogn_mm.engine.launch  # noqa: F401

PATIENCE = 10  # seconds from a launcher's SIGTERM to its SIGKILL


def start(tool, arguments, environment):
    """Run a tool in a forked process, the leader of a process group."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    os.environ.update(environment)
    sys.argv = [f'{tool}.py', *arguments]
    code = 0
    try:
        runpy.run_path(str(tiny_pose.ROOT / f'tools/{tool}.py'), run_name='__main__')
    except SystemExit as end:
        code = end.code
    except BaseException as error:
        code = repr(error)
    if isinstance(code, str):
        print(code, file=sys.stderr, flush=True)
        code = 1
    os._exit(code or 0)


def strike(pid, name):
    """As the kernel does, or a cluster, which signals a process's workers as well."""
    with contextlib.suppress(ProcessLookupError):
        if name == 'SIGKILL':
            os.kill(pid, signal.SIGKILL)
        else:
            os.killpg(pid, signal.Signals[name])


def environments(processes):
    if processes == 1:
        return [{}]
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = str(free.getsockname()[1])
    place = dict(MASTER_ADDR='127.0.0.1', MASTER_PORT=port, WORLD_SIZE=str(processes))
    return [place | dict(RANK=str(i), LOCAL_RANK=str(i)) for i in range(processes)]


def run(tool, arguments, processes=1, kill=None):
    """As a launcher does: a process that fails ends the others."""
    begin, deadline = time.monotonic(), None
    pids = [start(tool, arguments, env) for env in environments(processes)]
    codes = dict.fromkeys(pids)
    while None in codes.values():
        now = time.monotonic()
        for pid in (pid for pid in pids if codes[pid] is None):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                codes[pid] = os.waitstatus_to_exitcode(status)
        if kill and now - begin >= kill[1]:
            strike(pids[kill[2]], kill[0])
            kill = None
        left = [pid for pid in pids if codes[pid] is None]
        if deadline is None and any(codes.values()):
            deadline = now + PATIENCE
            for pid in left:
                strike(pid, 'SIGTERM')
        elif deadline is not None and now > deadline:
            for pid in left:
                strike(pid, 'SIGKILL')
        time.sleep(0.005)
    for pid in pids:  # data loaders' workers outlive a killed process
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
    return list(codes.values())


if __name__ == '__main__':
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # the runs' own output
    for line in sys.stdin:
        print(json.dumps(run(**json.loads(line))), file=answers, flush=True)
