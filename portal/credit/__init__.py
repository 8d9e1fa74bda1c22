"""Pages of public credit (社会信用): records, repair and objection desks, catalogue versions, timeliness, shields."""
