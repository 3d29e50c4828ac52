"""Floor 3: what bridges of any kind agree on with their neighbours. No machine here sends, waits
or looks at a clock: frames and times are arguments, and what to send is what comes back.
"""
