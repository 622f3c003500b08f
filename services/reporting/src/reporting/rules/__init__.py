"""Pure decisions of reporting: periods, folding of figures, choice of plans. No input or output."""
