"""Authorization from above (上级授权): blanket or per case, and requests relayed upward with their receipts.

What the platform above says is kept beside our own workflow and never moves it: `authorizations` only tells an approval
whether it may happen now. Reading the data itself is `exchange.sources`.
"""
