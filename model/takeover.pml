/*
 * Takeover: lease, revocation, holds and candidate lists (S2, S3, S4, S6, S7, S10, S11, S12 of SAFETY.md).
 *
 * A owns a slot in epoch 1; B and C may follow it. Time is discrete: a tick passes everywhere at once, and each host
 * counts it on a clock of its own. In any span that is measured, the adversary may let A's clock miss LOST ticks, and
 * let the observer's, B's and C's count GAIN ticks twice. Between two ticks any number of steps happen, in any order,
 * and messages take as long as they like. Every step is optional: whoever could act may also be late, cut off or
 * crashed. So a fast clock of A, or a slow one of the others, adds nothing: it only keeps somebody from acting. For
 * the same reason every wait here is the shortest that the rules allow.
 *
 * The intuition: A counts from before it asked, the others count from after A could no longer be renewed; and whoever
 * may start is somebody whom A must have asked. Checked at every step:
 *   I1, I2  no two hosts run the slot, and no write of an old owner is on its way while a new one runs
 *   I3      whoever starts, starts in a higher epoch than anybody before
 *   I4      when the slot is given away, what the evidence says is true
 *
 * Compile with -DMUT_... to break one rule (the list is in tools/model/runs.ts); each must give a counterexample.
 */

#ifndef LISTS
#define LISTS 2 /* how many lists there are in all: list 0, and LISTS - 1 changes to any other; at most 3 */
#endif
#ifndef LEASE
#define LEASE 2 /* L_h */
#endif
#ifndef KILL
#define KILL 1 /* b */
#endif
#ifndef WRITE
#define WRITE 1 /* m: a write that was sent may land this much later; at most REPLY + 1, so that only one renewal is late */
#endif
#ifndef LOST
#define LOST 1 /* ticks of one measured span that A's clock may miss: its slow rate, and F */
#endif
#ifndef GAIN
#define GAIN 1 /* ticks of one measured span that a candidate's or the observer's clock may count double */
#endif
#ifndef REPLY
#define REPLY 1 /* r: an answer older than this is ignored */
#endif
#ifndef EPOCHS
#define EPOCHS 3
#endif
#ifndef HOLDS
#define HOLDS 1 /* 1: policy failsafe, A may ask for holds. 0: policy stop, it never asks and lists bind nobody */
#endif
#ifndef WIPES
#define WIPES 1 /* how often A's item vanishes: 0 or 1 */
#endif

/*
 * A fast clock's gain. Nobody must start at the moment he may, so a clock that gains at once allows all that one which
 * gains later does. LATE_GAIN lets it gain at any moment instead, to check just that.
 */
#ifdef LATE_GAIN
#define AT_ONCE 0
bool gained[3]; /* B's and C's clock since their hold began, the observer's since its answer arrived */
#define NOT_YET_GAINED(k) gained[k] = 0
#else
#define AT_ONCE GAIN
#define NOT_YET_GAINED(k) skip
#endif

/* V3: L_c >= L_h (1+rho)/(1-rho) + (1+rho)(b + m + F): A may be LOST late, whoever counts may be GAIN early. */
#define BOUND (LEASE + LOST + KILL + WRITE + GAIN)
#ifdef MUT_FORGET_M
#define WAIT (BOUND - WRITE)
#else
#define WAIT BOUND
#endif
#ifdef MUT_HOLD_TOO_SHORT
#define HOLD (BOUND - 1)
#else
#define HOLD BOUND
#endif

mtype = { A, B, C };

/*
 * ---- A: the holder ----
 * Once quiet it is gone for good; that a lease may come back is in session.pml.
 */
mtype:life = { live, ending, gone };
mtype:life life = live;
unsigned until : 4 = LEASE + KILL; /* ticks until A is quiet for certain: it acts on its lease while > KILL, its services may run while > 0 */
unsigned spent : 2;        /* ticks of the span behind `until` that its clock has missed */
unsigned lastWrite : 3;    /* life left of the last write that A's services sent before they ended */

mtype:fate = { onItsWay, landed, refused };
unsigned beat : 3;         /* renewal in flight: 0 none, else 1 + its age on A's clock */
mtype:fate beatFate = onItsWay;
unsigned beatAck : 2; unsigned beatShows : 2; unsigned beatSpent : 2; /* list number that it acknowledges, that its answer shows; adversary's account */
unsigned ghost : 3; unsigned ghostAck : 2; /* a renewal that A has given up: life left, and what it acknowledges */
unsigned seen : 2; unsigned confirmed : 2; /* newest list A has seen, last acknowledgement that was confirmed to it */

unsigned ask : 3;          /* ask for holds in flight: 0 none, else 1 + its age on A's clock */
unsigned askWhom : 2; unsigned askGot : 2; unsigned askSpent : 2;
unsigned askOld : 2;       /* mutation only: grants of the ask before */

/* ---- store: A's item, the slot, the lists ---- */
byte list[LISTS];          /* bit 0: B may own, bit 1: C may own */
unsigned current : 2;      /* number of the newest list */
#define NONE 3
unsigned acked : 2;        /* list number that A's item shows as acknowledged; NONE after a tombstone */
bool missing, wiped;       /* A's item is gone; this happens once */
bool revoked;
mtype owner = A;
unsigned epoch : 3 = 1;
bool bound;                /* the list of A's item binds whoever becomes owner (S11) */
bool certain;              /* certain evidence about A's session has arrived */

/* ---- observer ---- */
unsigned silent : 4 = AT_ONCE; /* since the answer that held the newest version of A's item arrived, on its clock */

/* ---- B and C: index 0 and 1 ---- */
mtype:part = { idle, running, released };
mtype:part part[2] = idle;
byte hold[2]; /* ticks left of the hold in force, on its own clock */
byte knows[2] = 1;         /* highest epoch it knows */
unsigned top : 3 = 1;      /* highest epoch in which anybody has run the slot */

c_decl { static char goals[16]; }
#define GOAL(n, words) c_code { if (!goals[n]) { goals[n] = 1; printf("reached: %s\n", words); } }

#define BIT(k) (1 << (k))
#define OTHER(k) (1 - (k))
#define aLive (life == live && until > KILL)
#define aRuns (life != gone && until > 0)
#define ownerIs(k) (owner == B && k == 0 || owner == C && k == 1)
#define inList(n, k) ((list[n] >> (k)) & 1)
#define isShown (acked != NONE)

inline check() {
  assert(!(aRuns && (part[0] == running || part[1] == running)));          /* I1, I2 */
  assert(!(part[0] == running && part[1] == running));                     /* I1, I2 */
  assert(!(lastWrite > 0 && (part[0] == running || part[1] == running)))   /* I2: a late write of the old owner */
}

/* A's guard is no more. What its services sent last may still land. */
inline aEnds() {
  life = gone; until = 0; spent = 0; lastWrite = WRITE;
  beat = 0; beatFate = onItsWay; beatAck = 0; beatShows = 0; beatSpent = 0;
  ask = 0; askWhom = 0; askGot = 0; askSpent = 0; askOld = 0; seen = 0; confirmed = 0
}

/* A's clock moves on by one. A renewal without an answer in time is given up; its write may land later. */
inline aTick() {
  until = until - 1;
  if
  :: beat > 0 ->
     beat++;
     if
     :: beat > REPLY + 1 ->
        if :: beatFate == onItsWay && WRITE > 0 -> ghost = WRITE; ghostAck = beatAck :: else fi;
        beat = 0; beatFate = onItsWay; beatAck = 0; beatShows = 0; beatSpent = 0
     :: else
     fi
  :: else
  fi;
  if
  :: ask > 0 ->
     ask++;
     if
     :: ask > REPLY + 1 ->
#ifdef MUT_GRANT_FOR_ANOTHER_ASK
        askOld = askGot;
#endif
        ask = 0; askWhom = 0; askGot = 0; askSpent = 0
     :: else
     fi
  :: else
  fi;
  if :: until == 0 -> aEnds(); printf("> A is quiet: everything covered is dead\n") :: else fi
}

inline holdTick(k) {
  if :: hold[k] > 0 -> hold[k] = hold[k] - 1 :: else fi
}

/* A and its last write are gone: no wait protects anything any more, so that all may be over at once. */
inline settle() {
  if :: lastWrite == 0 -> ghost = 0; ghostAck = 0; hold[0] = 0; hold[1] = 0; silent = (owner == A -> WAIT : 0) :: else fi
}

/* Everybody else's tick. */
inline othersTick() {
  if :: lastWrite > 0 && life == gone -> lastWrite = lastWrite - 1; settle() :: else fi;
  if
  :: ghost > 0 ->
     ghost = ghost - 1;
     if :: ghost == 0 -> ghostAck = 0 :: else fi
  :: else
  fi;
  if :: owner == A && silent < WAIT -> silent++ :: else fi;
  holdTick(0); holdTick(1)
}

/* A's clock misses a tick: it counts slowly, or the machine is frozen. What A measures shows it. */
inline miss() {
  spent++;
  if :: beat > 0 -> beatSpent++ :: else fi;
  if :: ask > 0 -> askSpent++ :: else fi
}
#define canMiss (spent < LOST && (beat == 0 || beatSpent < LOST) && (ask == 0 || askSpent < LOST))

/* A new version of A's item: whoever counted silence starts anew. The observer sees it at once: later is only longer. */
inline newVersion() {
#if defined(MUT_STAMP_BEFORE_ANSWER)
  silent = (silent > AT_ONCE + 1 -> AT_ONCE + 1 : silent) /* the scan was sent a tick before */
#elif !defined(MUT_REVOKE_WITHOUT_SEQUENCE)
  if :: !revoked -> silent = AT_ONCE; NOT_YET_GAINED(2) :: else fi
#else
  skip
#endif
}

/* Under the rules a renewal never finds the item missing: re-created, it would no longer show the revocation. */
inline recreated() {
  if :: missing -> missing = 0; revoked = 0 :: else fi
}

inline extend(from, account) {
  if
  :: LEASE + KILL + 1 - from > until -> until = LEASE + KILL + 1 - from; spent = account
  :: LEASE + KILL + 1 - from == until -> spent = (spent < account -> spent : account)
  :: else
  fi
}

inline ownerBecomes(k) {
  if :: k == 0 -> owner = B :: else -> owner = C fi;
  epoch++; silent = 0;
  part[0] = (part[0] == released -> idle : part[0]);
  part[1] = (part[1] == released -> idle : part[1])
}

/* ---- rules that a mutation replaces ---- */
#ifdef MUT_HOLD_NOT_PERSISTED
#define RESTARTS 1
#else
#define RESTARTS 0 /* with the hold on disk a restart changes nothing, at worst it knows how much of the hold has passed */
#endif
#if defined(MUT_NEW_DISK_STARTS_AT_ONCE)
#define DISK_LOST(k) hold[k] = 0
#elif defined(MUT_NEW_DISK_WAITS_ONLY_AFTER_LEASE_OVER)
#define DISK_LOST(k) hold[k] = (epoch > 2 -> 0 : HOLD - AT_ONCE)
#else
#define DISK_LOST(k) hold[k] = HOLD - AT_ONCE
#endif
#ifdef MUT_LIST_LIFTED_BEFORE_ACTIVE
#define LIFT_EARLY(k) if :: ownerIs(k) -> bound = 0 :: else fi
#else
#define LIFT_EARLY(k) skip
#endif
#if defined(MUT_TAKER_FROM_CURRENT_LIST)
#define MAY_TAKE(k) inList(current, k)
#elif defined(MUT_TOMBSTONE_BINDS_NOBODY)
#define MAY_TAKE(k) (HOLDS && isShown -> inList(acked, k) : inList(current, k))
#else
#define MAY_TAKE(k) (HOLDS -> (isShown && inList(acked, k)) : inList(current, k))
#endif
#ifdef MUT_LIST_FORGOTTEN_AT_SECOND_CHANGE
#define MAY_FOLLOW(k) 1
#else
#define MAY_FOLLOW(k) (!bound || isShown && inList(acked, k))
#endif
#ifdef MUT_RENEW_UNCONDITIONALLY
#define STORE_TAKES(number) 1
#define STORE_REFUSES 0
#else
#define STORE_REFUSES 1
#if defined(MUT_RECREATE_MISSING_ITEM)
#define STORE_TAKES(number) (missing || !revoked && number >= acked)
#elif defined(MUT_ACKNOWLEDGED_NUMBER_GOES_BACK)
#define STORE_TAKES(number) (!missing && !revoked)
#else
#define STORE_TAKES(number) (!missing && !revoked && number >= acked)
#endif
#endif
#ifdef MUT_TOMBSTONE_WITHOUT_WAIT
#define TOMBSTONE silent = WAIT; acked = NONE
#else
#define TOMBSTONE silent = AT_ONCE; NOT_YET_GAINED(2); acked = NONE
#endif
#if defined(MUT_HOLD_BY_MAJORITY)
#define ENOUGH ((askGot & askWhom) == askWhom || askWhom == 3 && (askGot & 3))
#else
#define ENOUGH ((askGot & askWhom) == askWhom)
#endif
#if defined(MUT_ASK_NEWEST_LIST_ONLY)
#define ASK_WHOM askWhom = list[seen]
#elif defined(MUT_ASK_CONFIRMED_LIST_ONLY)
#define ASK_WHOM askWhom = list[confirmed]
#else
#define ASK_WHOM askWhom = list[confirmed] | list[seen] | (seen > confirmed + 1 -> list[confirmed + 1] : 0)
#endif
#ifdef MUT_EVIDENCE_BEFORE_M
#define QUIET 1
#else
#define QUIET (lastWrite == 0)
#endif

/* One candidate's steps. */
#define CANDIDATE(k, NAME) \
  /* S10: it grants if it knows no higher epoch, after writing the hold to disk. */ \
  :: d_step { ask > 0 && !(askGot & BIT(k)) && (askWhom & BIT(k)) && knows[k] == 1 && part[k] == idle -> \
       askGot = askGot | BIT(k); hold[k] = HOLD - AT_ONCE; NOT_YET_GAINED(k); \
       printf("> %c grants A a hold\n", NAME); check() } \
  /* It starts again: the hold is on disk. */ \
  :: d_step { RESTARTS && hold[k] > 0 && part[k] == idle && life != gone -> hold[k] = 0; \
       printf("> %c's machine restarts\n", NAME) } \
  /* It comes back with an empty disk: it forgets what it knew, and waits a full hold (S10). */ \
  :: d_step { part[k] == idle && life != gone && (hold[k] != HOLD - AT_ONCE || knows[k] > 1) -> DISK_LOST(k); NOT_YET_GAINED(k); knows[k] = 1; \
       printf("> %c is replaced, its disk is new\n", NAME) } \
  /* It reads the slot, strongly consistent. */ \
  :: d_step { knows[k] < epoch -> knows[k] = epoch; printf("> %c reads epoch %d\n", NAME, epoch); LIFT_EARLY(k) } \
  /* S6: it starts if it owns the slot and no hold is in force. */ \
  :: d_step { ownerIs(k) && knows[k] == epoch && part[k] == idle && hold[k] == 0 -> \
       part[k] = running; printf("> %c starts the slot in epoch %d\n", NAME, epoch); \
       assert(epoch > top); top = epoch; /* I3 */ \
       if :: epoch == 2 -> GOAL(0, "takeover: a candidate runs in epoch 2") :: else fi; \
       if :: epoch == 3 -> GOAL(1, "second takeover: somebody runs in epoch 3") :: else fi; \
       if :: epoch == 3 && bound -> GOAL(2, "a second owner starts while the first owner's list still binds") :: else fi; \
       check() } \
  /* S11: an owner that runs in its own epoch lifts the list. */ \
  :: d_step { part[k] == running && bound -> bound = 0; printf("> %c reports Active: A's list binds no longer\n", NAME); \
       GOAL(3, "the list is lifted by an owner that reports Active") } \
  /* It gives the slot back: stopped, and never again in this epoch (S6). */ \
  :: d_step { ownerIs(k) && part[k] != released && epoch < EPOCHS && knows[k] == epoch -> \
       part[k] = released; printf("> %c reports the slot released in epoch %d\n", NAME, epoch) } \
  /* S7, S11: lease-over. */ \
  :: d_step { owner == A && revoked && silent == WAIT && !missing && MAY_TAKE(k) -> \
       printf("> %c becomes owner in epoch %d by lease-over\n", NAME, epoch + 1); \
       assert(HOLDS || !aRuns); /* I4 */ \
       ownerBecomes(k); bound = HOLDS && !certain; \
       if :: aRuns -> GOAL(4, "somebody else owns the slot while A runs on under holds") :: else fi } \
  /* S7: certain evidence about A: no need to wait, no list binds. */ \
  :: d_step { owner == A && certain && inList(current, k) -> \
       printf("> %c becomes owner in epoch %d by certain evidence\n", NAME, epoch + 1); \
       assert(!aRuns); /* I4 */ \
       ownerBecomes(k); \
       GOAL(5, "takeover by certain evidence") } \
  /* The second change of owner, while A may still be running. */ \
  :: d_step { ownerIs(OTHER(k)) && part[OTHER(k)] == released && epoch < EPOCHS && inList(current, k) && MAY_FOLLOW(k) -> \
       ownerBecomes(k); printf("> %c becomes owner in epoch %d by released\n", NAME, epoch); \
       if :: bound -> GOAL(6, "second change of owner while the list binds") :: else fi; \
       if :: !bound && !certain && revoked -> GOAL(7, "second change of owner after the list was lifted") :: else fi }

active proctype world() {
  atomic {
    /* B and C are alike: a first list with C alone is one with B alone. */
    if :: list[0] = 0 :: list[0] = 1 :: list[0] = 3 fi;
    printf("> list 0 is %d (1 = B, 2 = C)\n", list[0])
  }
  do
  /* ---- time ---- */
  :: d_step { life != gone -> printf("> tick\n"); othersTick(); aTick(); check() }
  :: d_step { life == gone && lastWrite > 0 -> printf("> tick\n"); othersTick(); check() }
  :: d_step { life != gone && canMiss -> printf("> tick, which A does not count: its clock is slow or it is frozen\n"); miss(); othersTick(); check() }

#ifdef LATE_GAIN
  :: d_step { life != gone && hold[0] > 0 && !gained[0] -> hold[0] = hold[0] - 1; gained[0] = 1; printf("> B's clock gains a tick\n") }
  :: d_step { life != gone && hold[1] > 0 && !gained[1] -> hold[1] = hold[1] - 1; gained[1] = 1; printf("> C's clock gains a tick\n") }
  :: d_step { life != gone && owner == A && silent < WAIT && !gained[2] -> silent++; gained[2] = 1; printf("> the observer's clock gains a tick\n") }
#endif

  /* ---- A dies; evidence that says so ---- */
  :: d_step { aRuns -> aEnds(); printf("> A crashes\n") }
  :: d_step { life == gone && !certain && QUIET -> certain = 1; bound = 0; hold[0] = 0; hold[1] = 0;
       printf("> certain evidence about A: holds and list end\n") }

  /* ---- S2: renewal ---- */
  :: d_step { aLive && beat == 0 ->
       beat = 1; beatAck = seen; printf("> A sends a renewal, acknowledging list %d\n", seen) }
  :: d_step { beat > 0 && beatFate == onItsWay && STORE_TAKES(beatAck) ->
       beatFate = landed; beatShows = current; acked = beatAck; recreated(); newVersion();
       printf("> A's renewal lands: list %d acknowledged\n", acked) }
  :: d_step { beat > 0 && beatFate == onItsWay && revoked && !missing && STORE_REFUSES ->
       beatFate = refused; printf("> A's renewal is refused: the item shows another session\n") }
  :: d_step { beat > 0 && beatFate == landed ->
       if
       :: aLive ->
#ifdef MUT_COUNT_FROM_ACK
          extend(1, 0);
#else
          extend(beat, beatSpent);
#endif
          if :: beatShows > seen -> seen = beatShows :: else fi;
          if :: beatAck > confirmed -> confirmed = beatAck :: else fi
       :: else
       fi;
       beat = 0; beatFate = onItsWay; beatAck = 0; beatShows = 0; beatSpent = 0;
       printf("> A gets the answer: newest list is %d, its lease stands %d more\n", seen, until - KILL) }
  /* S3: over. Stopping may take until the deadline; nothing is renewed or asked any more. */
  :: d_step { beat > 0 && beatFate == refused ->
       life = ending; beat = 0; beatFate = onItsWay; beatAck = 0; beatShows = 0; beatSpent = 0;
       ask = 0; askWhom = 0; askGot = 0; askSpent = 0; askOld = 0;
       printf("> A learns that its session is over, and stops\n"); GOAL(8, "A is refused and stops") }
  /* A renewal that A gave up long ago lands. */
  :: d_step { ghost > 0 && STORE_TAKES(ghostAck) ->
       acked = ghostAck; recreated(); newVersion(); ghost = 0; ghostAck = 0;
       printf("> an old renewal of A lands late: list %d acknowledged\n", acked); GOAL(9, "a renewal lands after A gave it up") }

  /* ---- S10: holds ---- */
  :: d_step { HOLDS && aLive && ask == 0 ->
       ask = 1; ASK_WHOM; askGot = askOld; askOld = 0;
       printf("> A asks for holds (1 = B, 2 = C): %d\n", askWhom) }
  :: d_step { ask > 0 && aLive && ENOUGH && (LEASE + KILL + 1 - ask > until || LEASE + KILL + 1 - ask == until && spent > askSpent) ->
       extend(ask, askSpent); ask = 0; askWhom = 0; askGot = 0; askSpent = 0;
       printf("> A goes on by holds: its lease stands %d more\n", until - KILL);
       if :: revoked -> GOAL(10, "A goes on by holds after it was revoked") :: else fi }

  /* ---- store, lists, observer ---- */
  :: atomic { current < LISTS - 1 ->
       current++;
       if :: list[current] = 0 :: list[current] = 1 :: list[current] = 2 :: list[current] = 3 fi;
       printf("> list %d is %d (1 = B, 2 = C)\n", current, list[current]) }
  :: d_step { owner == A && !revoked && !missing ->
       revoked = 1; printf("> A's session is revoked on exactly this version: list %d acknowledged\n", acked) }
  :: d_step { WIPES && !missing && !wiped ->
       missing = 1; wiped = 1; silent = 0; printf("> A's item vanishes\n") }
  /* S3: a tombstone shows no list, and the wait begins with it. */
  :: d_step { owner == A && missing ->
       missing = 0; revoked = 1; TOMBSTONE;
       printf("> A's missing item is revoked by a tombstone\n"); GOAL(11, "a missing item is revoked by a tombstone") }

  CANDIDATE(0, 66) /* the letter B */
  CANDIDATE(1, 67) /* the letter C */
  od
}
