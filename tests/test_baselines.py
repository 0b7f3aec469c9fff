"""A baseline: only what is new fails a run, and what is fixed has to go."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from pytest_wsgi.baselines import (
    BaselineError,
    read_baseline,
    remove,
    settle_baseline,
    split_tables,
    write_entry,
)
from pytest_wsgi.rendering.files import NotWrittenError
from pytest_wsgi.report import FindingReport, Report, RuleReport, Subject
from pytest_wsgi.report.baseline import (
    Baseline,
    Entry,
    compare_to_baseline,
    list_missing,
    list_stale,
    merge_standings,
)
from pytest_wsgi.report.fingerprints import name_finding

TODAY = dt.date(2026, 11, 28)
SUBJECT = Subject(kind="application", spec="shop:app")
FINDING = FindingReport(message="", request="GET /", expected="a str", observed="b'200 OK'")
OTHER = replace(FINDING, expected="another thing")
RULE = RuleReport(
    id="status-is-native-string",
    level="must",
    area="status",
    party="application",
    verdict="broken",
    findings=(FINDING,),
    exercised=1,
)
HELD = replace(RULE, verdict="held", findings=())


def make_report(*rules):
    return Report(subject=SUBJECT, environment={}, rules=rules)


def make_entry(**more):
    name = name_finding(RULE.id, SUBJECT, FINDING)
    values = {"rule": RULE.id, "subject": SUBJECT.spec, "finding": name, "reason": "old"}
    return Entry(**{**values, **more})


def make_baseline(*entries, **more):
    return Baseline(entries=entries, today=TODAY, **more)


def test_finding_with_a_reason_is_known():
    known = make_baseline(make_entry()).apply(RULE, SUBJECT)
    assert (known.verdict, known.reason) == ("known", "old")


@pytest.mark.parametrize(
    "entry",
    [
        make_entry(reason=""),
        make_entry(reason="  "),
        make_entry(expires=dt.date(2026, 11, 27)),
        make_entry(rule="another-rule"),
        make_entry(subject="shop:other"),
        make_entry(finding="0" * 32),
    ],
)
def test_entry_that_does_not_count_leaves_the_rule_broken(entry):
    assert make_baseline(entry).apply(RULE, SUBJECT) == RULE


def test_entry_counts_on_its_last_day():
    entry = make_entry(expires=TODAY)
    assert make_baseline(entry).apply(RULE, SUBJECT).verdict == "known"


def test_new_finding_beside_a_known_one_is_broken():
    both = replace(RULE, findings=(FINDING, OTHER))
    assert make_baseline(make_entry()).apply(both, SUBJECT) == both


@pytest.mark.parametrize("rule", [HELD, replace(RULE, findings=())])
def test_what_has_no_findings_stays_as_it_is(rule):
    assert make_baseline(make_entry()).apply(rule, SUBJECT) == rule


def test_update_knows_all_that_can_fail():
    baseline = make_baseline(takes_all=True)
    advice = replace(RULE, level="convention")
    assert baseline.apply(RULE, SUBJECT).verdict == "known"
    assert baseline.apply(advice, SUBJECT) == advice


def test_missing_entries_are_those_of_what_can_fail_each_once():
    twice = replace(RULE, findings=(FINDING, FINDING, OTHER))
    report = make_report(twice, HELD, replace(RULE, level="convention"))
    missing = list(list_missing(make_baseline(make_entry()), report))
    assert [entry.shows for entry in missing] == ["expected another thing, got b'200 OK'"]
    assert missing[0].first_seen == TODAY
    assert len(list(list_missing(make_baseline(), make_report(twice)))) == 2


def test_stale_is_what_was_looked_for_and_not_found():
    baseline = make_baseline(make_entry())
    assert list(list_stale(baseline, [make_report(HELD)])) == [make_entry()]
    assert list(list_stale(baseline, [make_report(RULE)])) == []
    unasked = replace(HELD, verdict="not exercised")
    assert list(list_stale(baseline, [make_report(unasked)])) == []
    assert list(list_stale(baseline, [])) == []


@pytest.mark.parametrize(
    ("rule", "changes", "state"),
    [
        (RULE, {}, "known"),
        (RULE, {"reason": " "}, "unexplained"),
        (RULE, {"expires": TODAY - dt.timedelta(days=1)}, "expired"),
        (HELD, {}, "fixed"),
        (replace(RULE, findings=(OTHER,)), {}, "fixed"),
        (replace(HELD, verdict="not exercised"), {}, "not exercised"),
    ],
)
def test_state_of_an_entry(rule, changes, state):
    entry = make_entry(**changes)
    standing = compare_to_baseline(make_baseline(entry), "known.toml", make_report(rule))
    assert [one.state for one in standing.changes if one.finding == entry.finding] == [state]


def test_changes_since_the_baseline_have_the_worst_first():
    entries = (
        make_entry(first_seen=TODAY, expires=TODAY, issue="https://a.example", shows="this"),
        make_entry(rule="gone"),
        make_entry(subject="another.wsgi:app"),
    )
    report = make_report(replace(RULE, findings=(FINDING, OTHER)))
    standing = compare_to_baseline(make_baseline(*entries), "known.toml", report)
    assert standing.file == "known.toml"
    assert [(one.state, one.rule) for one in standing.changes] == [
        ("new", RULE.id),
        ("known", RULE.id),
        ("not exercised", "gone"),
    ]
    known = standing.changes[1]
    assert (known.first_seen, known.expires, known.issue) == (
        str(TODAY),
        str(TODAY),
        entries[0].issue,
    )
    assert (known.shows, known.reason) == ("this", "old")


def test_shards_stand_together_to_their_baseline():
    baseline = make_baseline(make_entry(), make_entry(rule="gone"))
    shards = [
        compare_to_baseline(baseline, "known.toml", make_report(rule))
        for rule in (HELD, RULE, replace(HELD, id="gone"))
    ]
    merged = merge_standings([None, *shards])
    assert merged.file == "known.toml"
    assert [(one.state, one.rule) for one in merged.changes] == [
        ("known", RULE.id),
        ("fixed", "gone"),
    ]
    assert merge_standings([None, None]) is None


def test_file_is_read_as_it_was_written(tmp_path):
    entry = make_entry(
        reason='quotes " and \\ and caf\xe9',
        shows="expected a str",
        first_seen=TODAY,
        expires=dt.date(2027, 1, 31),
        issue="https://example.org/1",
    )
    file = tmp_path / "known.toml"
    file.write_text(write_entry(entry) + "\n", encoding="utf-8")
    assert read_baseline(file, "check", TODAY).entries == (entry,)


def test_time_in_a_date_is_passed_over(tmp_path):
    file = tmp_path / "known.toml"
    file.write_text(
        '[[known]]\nrule = "a"\nsubject = "b"\nfinding = "c"\nexpires = 2027-01-31T10:00:00\n'
    )
    (entry,) = read_baseline(file, "check", TODAY).entries
    assert entry.expires == dt.date(2027, 1, 31)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[known", "cannot be read"),
        ("[other]\na = 1\n", "found other"),
        ("known = 1\n", "and nothing else"),
        ("known = [1]\n", "and nothing else"),
        ('[[known]]\nrule = "a"\nsubject = "b"\n', "has no finding"),
        ('[[known]]\nrule = "a"\nwhy = "b"\n', "'why', which is none of rule, subject"),
        ("[[known]]\nrule = 1\n", "rule must be a text in quotes"),
        ('[[known]]\nrule = "a"\nexpires = "soon"\n', "expires must be a date such as 2027-01-31"),
    ],
)
def test_file_that_is_wrong_is_one_clear_message(tmp_path, text, message):
    file = tmp_path / "known.toml"
    file.write_text(text)
    with pytest.raises(BaselineError, match=message):
        read_baseline(file, "check", TODAY)


def test_file_that_is_missing_is_made_by_update(tmp_path):
    file = tmp_path / "known.toml"
    with pytest.raises(BaselineError, match="--wsgi-baseline-mode update"):
        read_baseline(file, "check", TODAY)
    assert read_baseline(file, "update", TODAY).takes_all


def test_file_that_cannot_be_read_is_one_clear_message(tmp_path):
    with pytest.raises(BaselineError, match="cannot be read"):
        read_baseline(tmp_path, "check", TODAY)


def settle(file, mode, baseline, *rules):
    return settle_baseline(file, mode, baseline, [make_report(*rules)])


def test_check_tells_what_is_fixed_unreasoned_and_expired(tmp_path):
    entries = (
        make_entry(),
        make_entry(rule="b", reason=""),
        make_entry(rule="c", expires=dt.date(2026, 1, 1)),
    )
    problems, notes = settle(tmp_path / "known.toml", "check", make_baseline(*entries), HELD)
    assert [problem.partition(";")[0].partition(" yet")[0] for problem in problems] == [
        "baseline: status-is-native-string of shop:app is fixed",
        "baseline: b of shop:app has no reason",
        "baseline: c of shop:app expired on 2026-01-01",
    ]
    assert notes == []


def test_check_of_what_is_known_and_there_says_nothing(tmp_path):
    assert settle(tmp_path / "k.toml", "check", make_baseline(make_entry()), RULE) == ([], [])


def test_update_appends_and_leaves_the_rest(tmp_path):
    file = tmp_path / "known.toml"
    file.write_text(f"# ours\n{write_entry(make_entry())}\n")
    baseline = read_baseline(file, "update", TODAY)
    rule = replace(RULE, findings=(FINDING, OTHER))
    problems, notes = settle(file, "update", baseline, rule)
    assert problems == []
    assert notes == [f"baseline: 1 entries added to {file}; each needs a reason"]
    assert file.read_text().startswith("# ours\n[[known]]\n")
    assert [entry.reason for entry in read_baseline(file, "check", TODAY).entries] == ["old", ""]
    again = read_baseline(file, "update", TODAY)
    assert settle(file, "update", again, rule)[1] == [
        f"baseline: {file} has all that is broken already"
    ]


def test_update_makes_the_file(tmp_path):
    file = tmp_path / "known.toml"
    settle(file, "update", make_baseline(takes_all=True), RULE)
    assert len(read_baseline(file, "check", TODAY).entries) == 1


def test_update_refuses_where_nothing_was_exercised(tmp_path):
    file = tmp_path / "known.toml"
    unasked = replace(HELD, verdict="not exercised")
    problems, _ = settle(file, "update", make_baseline(takes_all=True), unasked)
    assert problems == [f"baseline: nothing was exercised, so {file} is left as it is"]
    assert not file.exists()


def test_prune_takes_out_what_is_fixed_and_leaves_words_and_order(tmp_path):
    file = tmp_path / "known.toml"
    first, last = make_entry(rule="first"), make_entry(rule="last")
    texts = ["# head\n", "# of the first", write_entry(first), "", "# of ours"]
    texts += [write_entry(make_entry()), "", "# of the last", write_entry(last)]
    file.write_text("\n".join(texts) + "\n")
    baseline = read_baseline(file, "prune", TODAY)
    assert settle(file, "prune", baseline, RULE) == ([], [])
    problems, notes = settle(file, "prune", baseline, HELD)
    assert problems == []
    assert notes == [f"baseline: 1 entries removed from {file}"]
    assert read_baseline(file, "check", TODAY).entries == (first, last)
    text = file.read_text()
    assert "# of ours" not in text
    assert text.startswith("# head\n\n# of the first\n[[known]]\n")
    assert "# of the last\n[[known]]\n" in text


def test_file_in_another_form_is_left_alone(tmp_path):
    file = tmp_path / "known.toml"
    file.write_text('known = [{rule = "status-is-native-string", subject = "a", finding = "b"}]\n')
    baseline = read_baseline(file, "prune", TODAY)
    with pytest.raises(NotWrittenError, match="by hand"):
        remove(file, baseline, baseline.entries)


def test_text_that_only_looks_like_an_entry_is_noticed(tmp_path):
    file = tmp_path / "known.toml"
    text = write_entry(make_entry(reason="x")).replace('"x"', '"""\n[[known]]\n"""')
    file.write_text(text + "\n")
    baseline = read_baseline(file, "prune", TODAY)
    with pytest.raises(NotWrittenError, match="by hand"):
        remove(file, baseline, baseline.entries)


def test_entries_have_the_comments_above_them():
    assert split_tables("# a\n\n# b\n[[known]]\nx = 1\n") == ["# a\n\n", "# b\n[[known]]\nx = 1\n"]
