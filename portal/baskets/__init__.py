"""Pages of baskets and bundles (资源篮、一揽子申请), of copies and renewals."""
