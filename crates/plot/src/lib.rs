//! Charts as SVG and tiles as PNG, in colours that a colour-blind reader can tell apart.
