"""Training and testing from any folder, which stays as it is."""

import pytest
import tiny_pose
from conftest import load_tool, snapshot


@pytest.fixture
def job(tmp_path):
    """Folder, config, and path of the tiny data set, behind a link."""
    folder = tmp_path / 'dös 图 #1 %20'
    folder.mkdir()
    config = tiny_pose.write_config(folder, 'tiny ü.py')
    (folder / 'data').rename(tmp_path / 'elsewhere')
    (folder / 'data').symlink_to(tmp_path / 'elsewhere')
    text = config.read_text().replace("'CocoDataset'", "'ValidatedCocoDataset'")
    config.write_text(text + 'train_cfg.update(max_epochs=1)\n')
    return folder, config, tmp_path / 'elsewhere'


def train(job, *options):
    folder, config, _ = job
    arguments = ['--work-dir', str(folder / 'work dir'), '--cfg-options', *options]
    load_tool('train').main(
        [str(config), *arguments, 'train_dataloader.persistent_workers=False']
    )


@pytest.mark.slow
def test_data_stay_as_they_are(job):
    """Nothing is written beside them, not even for a moment."""
    folder, config, data = job
    before = snapshot(data)
    train(job)
    checkpoint = folder / 'work dir/epoch_1.pth'
    out = folder / 'figures.json'
    load_tool('test').main([str(config), str(checkpoint), '--out', str(out)])
    assert checkpoint.exists() and 'EPE' in out.read_text()
    assert snapshot(data) == before


@pytest.mark.full
def test_broken_image_ends_training_or_is_skipped(job):
    folder, config, data = job
    image = data / '000007.png'
    image.write_bytes(image.read_bytes()[:-30])
    before = snapshot(data)
    sentence = r'error: .*tiny ü\.py: \S.*data/000007\.png: is cut off or damaged$'
    with pytest.raises(SystemExit, match=sentence):
        train(job)
    assert not list(folder.rglob('*.pth'))
    # validation would meet it as well, and does not skip
    skip = 'train_dataloader.dataset.skip_broken_images=True'
    with pytest.raises(SystemExit, match=sentence):
        train(job, skip)
    (checkpoint,) = folder.rglob('epoch_1.pth')
    with pytest.raises(SystemExit, match=sentence):
        load_tool('test').main(
            [
                *(str(config), str(checkpoint), '--cfg-options'),
                'test_dataloader.dataset.skip_broken_images=True',
            ]
        )
    logs = [path.read_text() for path in (folder / 'work dir').glob('*/*.log')]
    assert any('by now 1 of 12 samples are without image' in text for text in logs)
    assert snapshot(data) == before
