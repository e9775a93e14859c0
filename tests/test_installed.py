"""Every method loads, or says which library it is waiting for."""

import pytest
from installed import MISSING

import diffmethods as dm


@pytest.mark.parametrize("name", dm.list_methods())
def test_a_method_loads(name):
    if name in MISSING:
        assert "pip install" in MISSING[name]
        pytest.skip(MISSING[name])
    assert dm.get_method(name).name == name
