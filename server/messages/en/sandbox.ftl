# The sandbox: everybody in it is made up.
sandbox-name = Sandbox
sandbox-banner = A sandbox: everybody and every number here is made up.
sandbox-messages-title = Messages sent
sandbox-messages-lead = Messages of the sandbox go nowhere; they stand here only, the newest first.
sandbox-no-messages = No messages yet.
sandbox-sms = Text message
sandbox-mail = Mail
sandbox-registry-title = The registry, played
sandbox-registry-lead = Choose how the registry answers for each person.
sandbox-mood = When asked for this person, the registry
sandbox-mood-right = answers at once
sandbox-mood-slow = answers late (4 seconds)
sandbox-mood-down = does not answer
sandbox-mood-garbage = answers something unreadable
sandbox-play = Set
sandbox-begun = This place is for made-up data: messages are shown on the page /sandbox.
error-people-here = There are accounts here already. A sandbox begins where there are no data.
