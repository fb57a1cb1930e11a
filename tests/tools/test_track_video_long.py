"""Tracking videos for long, and through many kills."""

import json
import random
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import load_tool
from memory import resident_memory
from rectangles import DETECTOR, make_setting, picture

from ogn_mm.apis import FrameReader, FrameWriter

sys.path.insert(0, str(Path(__file__).parents[1] / 'engine'))

from killed_runs import fork_server


@pytest.mark.full
@pytest.mark.parametrize('signal_name', ['SIGKILL', 'SIGTERM', 'SIGUSR1'])
def test_stopped_at_random_moments(tmp_path, signal_name):
    """20 times: what is there is whole and the undisturbed run's."""
    setting = make_setting(tmp_path, 24)
    rng, stops, finished, codes = random.Random(signal_name), 0, 0, set()

    def arguments(out):
        config, frames, checkpoint = setting
        return [frames, config, checkpoint, '--out', out, '--save-every', 4]

    def content(out):
        frames = [frame.image for frame in FrameReader(str(out / 'tracked.mp4'))]
        return (out / 'tracks.json').read_bytes(), np.stack(frames).tobytes()

    with fork_server(tmp_path / 'output.txt', Path(__file__).parent) as run:
        assert run('track_video', arguments(tmp_path / 'first')) == [0]
        begin = time.monotonic()
        assert run('track_video', arguments(tmp_path / 'whole')) == [0]
        seconds = time.monotonic() - begin
        expected = content(tmp_path / 'whole')
        assert content(tmp_path / 'first') == expected
        while stops < 20:
            out = tmp_path / str(finished)
            begin = time.monotonic()
            kill = signal_name, rng.uniform(seconds / 4, seconds), 0
            (code,) = run('track_video', arguments(out), kill=kill)
            codes.add(code)
            if code == 0:
                assert content(out) == expected
                assert sorted(path.name for path in out.iterdir()) == [
                    *('tracked.mp4', 'tracks.json'),
                    *('tracks.jsonl', 'tracks_state.npz'),
                ]
                finished += 1
                # the machine may have become faster, and signals too late
                seconds = min(seconds, time.monotonic() - begin)
                continue
            stops += 1
            if (out / 'tracks.json').exists():
                assert (out / 'tracks.json').read_bytes() == expected[0]
            if (out / 'tracked.mp4').exists():
                assert content(out) == expected
    print(f'{stops} stops, {finished} videos, exit codes {sorted(codes)}')
    assert finished > 1


@pytest.mark.full
def test_memory_stays_flat_over_10_000_frames(tmp_path, monkeypatch):
    """From the file to tracks.json, with flow and appearance; 57 KiB a frame."""
    tool = load_tool('track_video')
    noise = np.random.default_rng(0).uniform(0, 100, (120, 160, 3))
    background = cv2.GaussianBlur(noise, None, 2).astype(np.uint8)
    with FrameWriter(str(tmp_path / 'clip.mp4'), 25) as video:
        for t in range(10_000):
            video.write(picture(background, abs(t % 80 - 40) * 2))
    (tmp_path / 'detector.py').write_text(
        DETECTOR.replace('Rectangles', 'RectanglesWithKeypoints')
    )
    (tmp_path / 'config.py').write_text(f"""
model = dict(
    type='VideoPoseEstimator',
    detector=dict(config='{tmp_path}/detector.py'),
    appearance=dict(type='ColorStripes'),
    flow=dict(type='DISFlow', preset='ultrafast'),
    tracker=dict(
        type='PoseTracker',
        cues=[dict(type='BoxIoU'), dict(type='ReIDDistance'), dict(type='FlowOKS')]))
""")
    memory, describe_frame = {}, tool.describe_frame

    def noted(frame, found):
        if frame.index % 1000 == 999:
            memory[frame.index + 1] = resident_memory()
        return describe_frame(frame, found)

    monkeypatch.setattr(tool, 'describe_frame', noted)
    arguments = [tmp_path / 'clip.mp4', tmp_path / 'config.py', '--no-video']
    tool.main([*map(str, arguments), '--out', str(tmp_path / 'out')])
    memory['end'] = resident_memory()
    print('MiB after so many frames:', {k: round(v) for k, v in memory.items()})
    content = json.loads((tmp_path / 'out/tracks.json').read_text())
    assert len(content['images']) == 10_000
    # 9,000 frames would take 490 MiB
    assert max(memory.values()) - memory[1000] < 16
