"""The chrestomathy is searched and ordered by keyboard; whole without a script."""

import pytest

PAGE = "chrestomathy.html"
ROWS = ".dm-chrestomathy tbody tr"


@pytest.fixture
def page(open_page):
    visit = open_page(PAGE)
    yield visit.page
    assert visit.complaints == []
    visit.page.context.close()


def titles(page):
    heads = page.locator(f"{ROWS}:visible th").all()
    return [head.inner_text() for head in heads]


def test_words_choose_methods(page):
    page.get_by_label("Method", exact=True).fill("complex")
    assert titles(page) == ["Complex step"]
    page.get_by_role("button", name="Show all").press("Enter")
    page.wait_for_function("document.querySelectorAll('tbody tr[hidden]').length === 0")


def test_a_family_chooses_methods(page):
    page.get_by_label("Family").select_option("forward")
    assert "Dual numbers" in titles(page)
    assert "Complex step" not in titles(page)


def test_exact_methods_and_those_that_need_only_numpy(page):
    every = titles(page)
    page.get_by_label("exact only").press("Space")
    assert "Forward difference" not in titles(page)
    page.get_by_label("needs nothing but NumPy").press("Space")
    left = titles(page)
    assert "Dual numbers" in left
    assert not {"JAX", "SymPy", "Forward difference"} & set(left)
    assert (
        f"{len(left)} of {len(every)}"
        in page.locator(".dm-controls__status").inner_text()
    )


def test_one_task_is_one_column(page):
    page.get_by_role("combobox", name="Task").select_option(label="Hessian")
    assert page.locator(".dm-chrestomathy thead th:visible").count() == 2


@pytest.mark.parametrize("by", ["error", "cost"])
def test_a_column_orders_the_rows(page, by):
    button = page.get_by_role(
        "button", name=f"Order by the {by} of: Hessian", exact=True
    )
    before = titles(page)
    button.press("Enter")
    cells = page.locator(f"{ROWS} td:nth-child(8)")
    found = cells.evaluate_all(f"all => all.map(c => c.dataset.{by})")
    done = [float(number) for number in found if number is not None]
    assert done == sorted(done)
    assert None not in found[: len(done)]
    head = page.locator(".dm-chrestomathy thead th:nth-child(8)")
    assert head.get_attribute("aria-sort") == "ascending"
    button.press("Enter")
    assert titles(page) == before


def test_a_cell_leads_to_the_program(page):
    cell = page.locator(f"{ROWS}:has-text('Dual numbers') td a").first
    with page.expect_navigation():
        cell.click()
    code = page.locator(".sd-tab-content:visible pre")
    assert code.filter(has_text='method="dual_numbers"').count() == 1


def test_without_a_script_the_table_is_whole(chromium, base):
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(base + PAGE)
    assert page.locator(".dm-controls").count() == 0
    assert page.locator(f"{ROWS}:visible").count() == page.locator(ROWS).count() > 10
    context.close()
