"""A person looks at the story's pages in a browser: pages.py DIR.

DIR holds site/ (vignette catalog build), dusk.vpack and dusk-jo.vpack (the packs in it),
review.html and review.csv (vignette review), and cocreate.html (vignette cocreate). The
browser has no network; a request for anything but a file of DIR is a fault, and so is what
a page's own policy or script complains of. Prints what was looked at.
"""

import csv
import pathlib
import re
import shutil
import sys

from playwright.sync_api import expect, sync_playwright

DIR = pathlib.Path(sys.argv[1]).resolve()


def figures(name):
    """The counts of a figure over all drivers, as (how many, of how many)."""
    with open(DIR / "review.csv", encoding="utf-8") as f:
        for row in csv.DictReader(f):
            if (row["table"], row["item"], row["group"]) == ("figure", name, "all"):
                return int(row["count"]), int(row["of"])
    raise AssertionError(f"review.csv has no figure {name}")


def reads(where, text):
    """Waits until a part of the page reads so, to whoever looks at it."""
    expect(where).to_have_text(text, use_inner_text=True)


def has(where, text):
    """Waits until a part of the page has a text, to whoever looks at it."""
    expect(where).to_contain_text(text, use_inner_text=True)


def catalogue(page):
    """Finds mei's card and jo's remix of it, in both languages, and takes the remix along."""
    page.goto((DIR / "site" / "index.html").as_uri())
    titles, count = page.locator(".tile h2"), page.locator("#count")
    page.get_by_label("My car").select_option("Any car")
    reads(count, re.compile(r"^\d+ cards$"))
    everything = int(count.inner_text().split()[0])
    assert everything > 10, f"the catalogue has {everything} cards: too few to search in"
    page.get_by_label("Search").press_sequentially("light dusk")
    reads(titles, ["A light at dusk", "A light at dusk"])
    page.get_by_label("My car").select_option("jo-car")
    has(count, "1 card runs on jo-car")
    expect(titles).to_have_count(1)
    tile = page.locator(".tile")
    has(tile, "by jo")
    has(tile, "passed its scenarios")
    has(tile, "cars or more")
    page.get_by_role("button", name="Show 1 that does not").click()
    expect(titles).to_have_count(2)
    has(page.locator(".tile", has_text="by mei"), "not on jo-car as it is")
    page.get_by_label("My car").select_option("mei-car")
    expect(page.locator(".tile", has_text="by mei")).not_to_contain_text("not on")
    page.get_by_label("My car").select_option("jo-car")
    page.get_by_role("button", name="Hide").click()
    page.get_by_role("button", name="中文").click()
    has(count, "1 张卡片可在 jo-car 上运行")
    page.get_by_label("搜索").fill("黄昏")
    reads(titles, ["黄昏的灯"])
    page.get_by_label("搜索").fill("nothing of the sort")
    expect(titles).to_have_count(0)
    page.get_by_label("搜索").fill("灯")
    page.get_by_role("link", name="黄昏的灯").click()
    reads(page.get_by_role("heading", level=1), "黄昏的灯")
    page.get_by_role("button", name="English").click()
    reads(page.get_by_role("heading", level=1), "A light at dusk")
    has(page.locator(".lead"), "a remix of dusk@1.0.0 (mei)")
    has(page.locator(".hero .chips"), "ran in at least")
    take(page, "dusk-jo.vpack")
    page.locator(".tree a").first.click()
    has(page.locator(".lead"), "by mei")
    lacks = page.locator("#cars ~ details", has_text="jo-car")
    lacks.locator("summary").click()
    has(lacks, "this car does not tell whether it is rolling; instead, a remix could take parked, driving")
    has(lacks, "cards cannot set lamp in this car (Private.Dome.Lamp); instead, a remix could take Private.Lamp")
    page.get_by_role("button", name="中文").click()
    has(lacks, "；改编时可改用Private.Lamp")
    page.get_by_role("button", name="English").click()
    take(page, "dusk.vpack")
    return f"catalogue: {everything} cards, one found in two languages, two taken along"


def take(page, name):
    """Downloads the pack of a page, which must be the very bytes of the pack."""
    with page.expect_download() as got:
        page.get_by_role("link", name="Take it along").click()
    here = DIR / ("took-" + name)
    got.value.save_as(here)
    assert here.read_bytes() == (DIR / name).read_bytes(), f"{name} is another file than was taken along"


def review(page):
    """Sees what jo's card was to its drivers, and the answer."""
    page.goto((DIR / "review.html").as_uri())
    reads(page.get_by_role("heading", level=1), "A light at dusk")
    body = page.locator("body")
    taken_back, fired = figures("regret")
    has(body, f"{taken_back} of {fired}")
    bright, said = figures("too_bright")
    has(body, f"{bright} of {said}")
    for text in "It is too bright", "I do not want it", "lights-answer", "withheld":
        has(body, text)
    return f"review: {taken_back} of {fired} taken back, {bright} of {said} say that it is too bright"


def participation(page):
    """Sees the card adopted, the remix, and that the question is answered."""
    page.goto((DIR / "cocreate.html").as_uri())
    reads(page.get_by_role("heading", level=1), "How drivers take part")
    _, fired = figures("regret")
    _, said = figures("too_bright")
    page.locator("summary", has_text="The cards").click()
    card = page.get_by_role("row", name=re.compile("^dusk-jo "))
    has(card, "adopted")
    has(card, str(fired))
    parent = page.get_by_role("row").filter(has_text="dusk@1.0.0")
    reads(parent, "dusk@1.0.0 mei 1 1 1")
    asked = page.get_by_role("row").filter(has_text="What do you think of the light at dusk?")
    has(asked, str(said))
    has(page.locator("body"), "1 of 1 studies answered, 0 owed")
    return f"participation: {fired} firings, {said} choices, all answered"


def main():
    outside, said = [], []

    def only_files(route):
        if pathlib.Path(route.request.url.removeprefix("file://")).is_relative_to(DIR):
            route.continue_()
        else:
            outside.append(route.request.url)
            route.abort()

    with sync_playwright() as p:
        browser = p.chromium.launch(executable_path=shutil.which("chromium-headless-shell"), args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(accept_downloads=True, locale="en-GB")
        context.set_offline(True)
        context.route("**/*", only_files)
        context.on("console", lambda m: said.append(m.text))
        context.on("weberror", lambda e: said.append(str(e.error)))
        context.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        page = context.new_page()
        for look in catalogue, review, participation:
            print(look(page))
        browser.close()
    assert not outside, f"the pages asked for {outside}"
    assert not said, f"the browser complains: {said}"


main()
