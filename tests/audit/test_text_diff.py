"""In long texts, the words that differ are marked, and text far from them is left out."""

from ownership.audit.text_diff import marked, shortened


def test_only_the_parts_of_a_long_text_near_a_difference_are_shown():
    start, end = "Same words. " * 100, " More of the same." * 100
    old, new = marked(f"{start}It reads.{end}", f"{start}It writes.{end}")
    for pieces, words in ((shortened(old), "It reads. "), (shortened(new), "It writes. ")):
        text = "".join(text for _, text in pieces)
        assert words in text
        assert len(text) < 300
        assert text.startswith("…")
        assert text.endswith("…")


def test_both_texts_show_the_place_of_an_addition():
    start, end = "Same words. " * 100, "More of the same. " * 100
    old, _ = marked(start + end, f"{start}Added. {end}")
    assert "Same words. More of the same." in "".join(text for _, text in shortened(old))


def test_texts_with_too_many_words_to_compare_are_shown_as_replaced():
    old, new = marked("a b " * 1_000, "c d " * 1_000)
    assert [differs for differs, _ in old + new] == [True, True]
    assert len(shortened(old)[0][1]) < 700


def test_a_sign_that_was_taken_out_is_marked_without_the_word_before_it():
    old, new = marked("Reads the pricing tier; writes members", "Reads the pricing tier and writes members")
    assert [text for differs, text in old if differs] == [";"]
    assert [text for differs, text in new if differs] == [" and"]


def test_several_words_in_a_row_that_were_replaced_are_marked_as_one():
    old, _ = marked("It reads old names every night.", "It reads fresh rows every night.")
    assert [text for differs, text in old if differs] == ["old names"]
