"""Public credit (社会信用): what may be collected, what is shown to the public, repair, objection, shielding, timeliness."""
