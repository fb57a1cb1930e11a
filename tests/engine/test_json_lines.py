"""Journals keep all that was written, whatever a kill cut off."""

import json

from ogn_mm.engine.json_lines import append_json_lines, read_json_lines

VALUES = [[1, {'a': 'é\n'}], 2.5, None]


def test_values_come_back_at_once(tmp_path):
    path = tmp_path / 'journal.jsonl'
    assert list(read_json_lines(path)) == []
    with path.open('a') as journal:
        append_json_lines(journal, VALUES[:1])
        append_json_lines(journal, VALUES[1:])
        assert list(read_json_lines(path)) == VALUES  # before the file is closed


def test_cut_off_anywhere_and_continued(tmp_path):
    path = tmp_path / 'journal.jsonl'
    with path.open('a') as journal:
        append_json_lines(journal, [['first'], ['second']])
    written = path.read_text()
    begin = written.index('["second"]')
    for end in range(begin, len(written)):
        path.write_text(written[:end])
        with path.open('a') as journal:
            append_json_lines(journal, [['third']])
        whole = end >= begin + len(json.dumps(['second']))
        expected = [['first'], ['second'], ['third']]
        assert list(read_json_lines(path)) == expected[:1] + expected[2 - whole :]
