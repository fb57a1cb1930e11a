"""Runs of tools/train.py, each in a fresh process, for the cost of one import.

Reads a JSON list of train.py's arguments a line, runs them in a forked process and
answers with its exit code (negative: the signal that killed it).
"""

import contextlib
import json
import os
import runpy
import signal
import sys

import mmpose.engine
import mmpose.evaluation
import mmpose.visualization  # noqa: F401
import tiny_pose

import ogn_mm.engine.launch  # noqa: F401


def run(arguments):
    child = os.fork()
    if child == 0:
        os.setsid()
        sys.argv = ['train.py', *arguments]
        try:
            runpy.run_path(str(tiny_pose.ROOT / 'tools/train.py'), run_name='__main__')
        except BaseException as error:
            print(repr(error), file=sys.stderr)
            os._exit(1)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # its data loader's workers outlive it
    return status


if __name__ == '__main__':
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # the runs' own output
    for line in sys.stdin:
        print(run(json.loads(line)), file=answers, flush=True)
