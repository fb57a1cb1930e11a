from ogn_mm.engine.provenance import format_circumstances


def test_circumstances_are_told_once():
    first = dict(commit='a1', dirty=False, versions=dict(torch='2'), device='CPU')
    second = dict(first, commit='b2', dirty=True, precision='bfloat16')
    assert format_circumstances([first, second, first], 'python x.py') == (
        '\n- Command: python x.py'
        '\n- Commit: a1; b2 (changed)'
        '\n- Versions: torch 2'
        '\n- Device: CPU'
        '\n- Precision of the training: bfloat16'
    )
    assert format_circumstances([first]).splitlines()[1:] == [
        '- Commit: a1',
        '- Versions: torch 2',
        '- Device: CPU',
    ]
