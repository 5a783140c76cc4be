"""An outside model that proposes a title, a split, a category and a draft answer; off by default."""
