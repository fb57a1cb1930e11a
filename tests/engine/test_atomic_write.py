import errno
import os
import stat

import pytest

from ogn_mm.engine.atomic_write import (
    atomic_file,
    remove_partial,
    write_atomically,
)


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
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(OSError, match=f"No space left on device: '{path}'") as error:
        write_atomically(path, 'new', durable=True)
    assert error.value.errno == errno.ENOSPC
    # what was written of it would only fill the disk
    assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]
    monkeypatch.undo()
    write_atomically(path, 'new', durable=True)
    assert path.read_text() == 'new' and list(tmp_path.iterdir()) == [path]


def write_and(act, path):
    with atomic_file(path) as file:
        file.write('new')
        act()


def test_an_error_among_pieces_leaves_the_old_file(tmp_path):
    path, missing = tmp_path / 'file.txt', tmp_path / 'missing'
    write_atomically(path, 'old')
    for act, error, words in (
        (lambda: [][0], IndexError, 'out of range'),
        (missing.read_text, OSError, str(missing)),  # another file's, under its name
    ):
        with pytest.raises(error, match=words):
            write_and(act, path)
        assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]
    with atomic_file(path) as file:
        file.write('größer')
        assert path.read_text() == 'old'
        file.write(' than before')
    assert path.read_text(encoding='utf-8') == 'größer than before'


def test_the_disk_has_a_file_before_its_name(tmp_path, monkeypatch):
    """And the name before the call returns: what follows may delete older files."""
    calls = []

    def noted(name):
        function = getattr(os, name)

        def call(*args):
            if name == 'fsync':
                folder = stat.S_ISDIR(os.fstat(args[0]).st_mode)
                calls.append('fsync folder' if folder else 'fsync file')
            else:
                calls.append(name)
            return function(*args)

        return call

    for name in ('fsync', 'replace'):
        monkeypatch.setattr(os, name, noted(name))
    write_atomically(tmp_path / 'file', 'content', durable=True)
    assert calls == ['fsync file', 'replace', 'fsync folder']


def test_what_a_kill_left_is_removed(tmp_path):
    for name in ('.a.pth.partial', 'a.pth', '.hidden', 'b.partial'):
        (tmp_path / name).write_text('half')
    remove_partial(tmp_path)
    remove_partial(tmp_path / 'missing')
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ['.hidden', 'a.pth', 'b.partial']
