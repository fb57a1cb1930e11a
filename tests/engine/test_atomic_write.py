import os

import pytest

from ogn_mm.engine.atomic_write import write_atomically


@pytest.mark.parametrize('durable', [False, True])
def test_text_and_bytes_replace_what_was_there(tmp_path, durable):
    path = tmp_path / 'file.json'
    for content in ('first, longer', 'zweite Fassung, größer', b'\x00\xff'):
        write_atomically(path, content, durable)
        written = content if isinstance(content, bytes) else content.encode()
        assert path.read_bytes() == written
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_cut_off_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'file.json'
    write_atomically(path, 'old')

    def full(*_):
        raise OSError('no space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match='no space'):
        write_atomically(path, 'new', durable=True)
    assert path.read_text() == 'old'
    monkeypatch.undo()
    write_atomically(path, 'new', durable=True)
    assert path.read_text() == 'new' and list(tmp_path.iterdir()) == [path]
