"""The page of a suite of experiments: what its tools printed, and the paper's rows."""

from pathlib import Path

from matplotlib.figure import Figure

from ogn_mm.engine.atomic_write import write_atomically
from ogn_mm.engine.provenance import format_circumstances
from ogn_mm.visualization import draw_scores

from .report import format_scores


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
    papers = {step['row']: step['paper'] for step in steps}
    names = list(dict.fromkeys(name for paper in papers.values() for name in paper))
    scores = {  # of all seeds
        name: {
            row: [
                step['metrics'][name]
                for step in steps
                if step['row'] == row and name in step['metrics']
            ]
            for row in papers
        }
        for name in names
    }
    lines = [['row', *(cell for name in names for cell in (name, f'{name}, paper'))]]
    lines.append(['---', *['--:'] * (2 * len(names))])
    for row, paper in papers.items():
        cells = [
            cell
            for name in names
            for cell in (format_scores(scores[name][row]), str(paper.get(name, '')))
        ]
        lines.append([row, *cells])
    figure = Figure((8, (1.2 + 0.4 * len(papers)) * len(names)), layout='constrained')
    panels = figure.subplots(len(names), squeeze=False)[:, 0]
    for axes, name in zip(panels, names, strict=True):
        theirs = {row: paper[name] for row, paper in papers.items() if name in paper}
        ours = {row: values for row, values in scores[name].items() if values}
        draw_scores(axes, ours, theirs)
        axes.set_xlabel(name)
    figure.savefig(out / 'rows.png', dpi=150)
    table = ''.join(f'| {" | ".join(cells)} |\n' for cells in lines)
    return f'\n{table}\n![](rows.png)\n'


def report_suite(name: str, steps: list[dict], out: Path) -> None:
    """Write ``report.md``, the page that people read, and ``rows.png``."""
    text = f'# {name}\n' + compare_to_paper(steps, out)
    shown = set()
    for step in steps:
        if not step['printed'] and not step['plots']:
            continue
        text += f'\n```bash\n{step["command"]}\n```\n\n{step["printed"]}\n'
        new = [plot for plot in step['plots'] if plot not in shown]
        text += ''.join(f'\n![]({plot})\n' for plot in new)
        shown.update(new)
    text += format_circumstances(steps)
    write_atomically(out / 'report.md', text + '\n')
