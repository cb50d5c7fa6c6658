"""Sentences name a choice in the words of whoever reads them."""

from hypothesis import given
from hypothesis import strategies as st

from sspexplorer.catalogue.ways import WAYS, for_command_line, for_page, way


def test_each_reader_is_told_of_what_they_have():
    sentence = f"AUTO and PSF are equally good; say {way('photometry', 'AUTO', 'PSF')}."
    assert sentence == "AUTO and PSF are equally good; say photometry='AUTO' or photometry='PSF'."
    assert for_command_line(sentence).endswith("say --photometry AUTO or --photometry PSF.")
    assert for_page(sentence).endswith("choose “AUTO” or “PSF” under “Photometry”.")
    unit = f"say {way('unit', 'fnu', 'flambda', 'mag')}, or name it"
    assert for_command_line(unit) == "say --unit fnu, --unit flambda or --unit mag, or name it"
    assert for_page(unit) == (
        "choose “F_ν”, “F_λ” or “AB magnitudes” under “Unit of the bands”, or name it"
    )
    assert for_command_line(f"say which with {way('columns')}.") == "say which with --columns."
    assert for_page(f"say which with {way('columns')}.") == (
        "say which with “Columns of each band”."
    )


@given(st.sampled_from(list(WAYS)), st.text(max_size=12), st.text("abc ='", max_size=20))
def test_any_value_is_put_in_words_and_all_else_left_alone(argument, value, around):
    told = for_page(f"{around}: {way(argument, value)}; {around}")
    assert told.startswith(f"{around}: “")
    assert told.endswith(f"” under “{WAYS[argument].control}”; {around}")
    assert f"{WAYS[argument].option} " in for_command_line(way(argument, value))
