import pytest

from ogn_mm.datasets.images import file_kind


@pytest.mark.parametrize(
    'kind, endings',
    [
        ('image', 'jpg JPG jpeg png webp bmp tif tiff ppm gif'),
        ('video', 'mp4 avi mov mkv webm m4v mpg flv wmv MP4'),
    ],
)
def test_kinds_of_files_by_name(kind, endings):
    """Not by what a system happens to know."""
    for ending in endings.split():
        assert file_kind(f'folder/a b.{ending}') == kind
    assert file_kind('notes.txt') not in ('image', 'video')
    assert file_kind('nothing') == ''
