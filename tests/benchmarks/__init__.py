"""How exact and how fast the methods are, with other libraries measured beside them."""
