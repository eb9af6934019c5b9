"""What the probes of `products.py` look into. A module of its own, since `__main__` has no name."""


class Basket:
    def __init__(self):
        self.items = []

    def add(self, name, count, password):
        total = count * 2
        self.items = [(name, total)]
        return total
