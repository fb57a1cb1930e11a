"""The page of a suite of experiments: what its tools printed, and the paper's rows."""

from pathlib import Path

from matplotlib.figure import Figure

from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.provenance import format_circumstances
from ogn_mm.visualization import draw_scores


def format_metrics(metrics: dict[str, float]) -> str:
    """Metrics as a table; empty without."""
    lines = [f'| {name} | {value:.2f} |' for name, value in metrics.items()]
    return '\n'.join(['| metric | value |', '| --- | --: |', *lines] if lines else [])


def read_tables(text: str) -> list[list[dict]]:
    """The Markdown tables of a text, each a list of rows, {column: cell}."""
    tables = []
    for block in ''.join(
        line if line.startswith('|') else '\n'
        for line in text.splitlines(keepends=True)
    ).split('\n\n'):
        rows = [
            [cell.strip() for cell in line.strip().strip('|').split('|')]
            for line in block.split('\n')
            if line
        ]
        if len(rows) > 2:
            tables.append([dict(zip(rows[0], row, strict=True)) for row in rows[2:]])
    return tables


def compare_to_paper(steps: list[dict], out: Path) -> str:
    """The rows of the paper as a table, and as ``rows.png``; empty without any."""
    steps = [step for step in steps if 'paper' in step]
    if not steps:
        return ''
    metrics = {step['row']: step['metrics'] for step in steps}
    papers = {step['row']: step['paper'] for step in steps}
    names = list(dict.fromkeys(name for paper in papers.values() for name in paper))
    lines = [['row', *(cell for name in names for cell in (name, f'{name}, paper'))]]
    lines.append(['---', *['--:'] * (2 * len(names))])
    for row in metrics:
        values = [of[row].get(name) for name in names for of in (metrics, papers)]
        lines.append([row, *('' if v is None else f'{v:.1f}' for v in values)])
    figure = Figure((8, (1.2 + 0.4 * len(steps)) * len(names)), layout='constrained')
    panels = figure.subplots(len(names), squeeze=False)[:, 0]
    for axes, name in zip(panels, names, strict=True):
        ours, theirs = (
            {row: found[name] for row, found in of.items() if name in found}
            for of in (metrics, papers)
        )
        draw_scores(axes, {row: [value] for row, value in ours.items()}, theirs)
        axes.set_xlabel(name)
    figure.savefig(out / 'rows.png', dpi=150)
    table = ''.join(f'| {" | ".join(cells)} |\n' for cells in lines)
    return f'\n{table}\n![](rows.png)\n'


def report_suite(name: str, steps: list[dict], out: Path) -> None:
    """Write ``report.md``, the page that people read, and ``rows.png``."""
    text = f'# {name}\n' + compare_to_paper(steps, out)
    for step in steps:
        if not step['printed'] and not step['plots']:
            continue
        text += f'\n```bash\n{step["command"]}\n```\n\n{step["printed"]}\n'
        text += ''.join(f'\n![]({plot})\n' for plot in step['plots'])
    text += format_circumstances(steps)
    write_atomically(out / 'report.md', text + '\n')
