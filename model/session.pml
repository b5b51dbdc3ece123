/*
 * Sessions: registration, successor, restart, release, rollback (S1, S2, S4, S6, S7 of SAFETY.md).
 *
 * Machine A runs a slot in epoch 1 by its first session. Its guard may die, be handed over or come back after a reboot,
 * GUARDS times in all; each life registers a session of its own, and what it sends may land late. X is a machine that
 * bears A's name (a clone, or an instance replaced under the same name). B takes the slot and gives it back. Time, and
 * what the adversary may do with it, is as in takeover.pml; here A's policy is to stop, so that there are no holds.
 *
 * Every step is optional. A guard's death leaves its services running for KILL ticks at most, and what they wrote
 * last may land WRITE ticks after that. Checked at every step:
 *   I1, I2  A and B never run the slot together, and no write of A is on its way while B runs
 *   I3      nobody starts in an epoch lower than one that has been started, nor twice in one on two machines
 *   I4      when the slot is given away, the owner that the evidence speaks of runs it no more
 */

#ifndef GUARDS
#define GUARDS 3 /* lives of A's guard, the first one included */
#endif
#ifndef LEASE
#define LEASE 2 /* L_h */
#endif
#ifndef KILL
#define KILL 1 /* b */
#endif
#ifndef WRITE
#define WRITE 1 /* m */
#endif
#ifndef LOST
#define LOST 1 /* ticks of one measured span that A's clock may miss: its slow rate, and F */
#endif
#ifndef GAIN
#define GAIN 1 /* ticks of one measured span that the observer's clock may count double */
#endif
#ifndef REPLY
#define REPLY 1 /* r */
#endif
#ifndef EPOCHS
#define EPOCHS 4
#endif

#ifdef MUT_FORGET_B
#define WAIT (LEASE + LOST + WRITE + GAIN)
#else
#define WAIT (LEASE + LOST + KILL + WRITE + GAIN) /* V3 */
#endif
#define X (GUARDS + 1) /* X's session; A's sessions are 1 .. GUARDS, one for each life of its guard */
#define B (GUARDS + 2) /* the slot's owner is a session of A, or B */

/* ---- machine A ---- */
byte guard = 1;            /* which life of the guard; 0: none */
byte lives = 1;
bool heir;                 /* this life may register over a live session: a new boot, or the old guard's secret */
byte mine = 1;             /* session that this life knows to be registered; 0: none */
byte until = LEASE + KILL; /* ticks until A is quiet for certain; its lease stands while > KILL */
byte spent;
bool runs = 1;             /* the slot's services run here, in epoch runsIn */
byte runsIn = 1;
byte lastWrite;            /* life left of the last write of services that have ended */
byte started = 1;          /* epoch that this session has started; 0: none */
byte leave;                /* epoch in which its assignment, read once, showed this session as owner; the agent may act late */
byte onDisk;               /* highest epoch that is marked as released on A's disk */
bool stopped;              /* the slot was stopped to be released, and nothing is reported yet */

/* ---- what is under way to the store ---- */
mtype:fate = { none, onItsWay, landed, refused };
mtype:fate beat = none;
mtype:fate claim = none; /* beat: renewal of session mine; registration of life `guard` */
byte age, accountOf;       /* of either: at most one is under way */
byte claimOver;            /* session value that the registration names as the one it has read */
bool claimOverRevoked;
byte lateClaim, lateOver, lateLife; /* a registration whose sender has given it up or is gone */
bool lateOverRevoked;

/* ---- store ---- */
byte item = 1;             /* session that A's item shows */
bool revoked;
byte owner = 1;
byte epoch = 1;
byte reported;             /* epoch that A's last report calls released */
byte closed;               /* session that has closed itself */
byte over;                 /* session that lease-over was found about */
byte silent = GAIN;        /* the observer's count */

/* ---- B ---- */
bool bRuns;
byte bLeave;
byte top = 1;              /* highest epoch that anybody has started */

c_decl { static char goals[16]; }
#define GOAL(n, words) c_code { if (!goals[n]) { goals[n] = 1; printf("reached: %s\n", words); } }
#define stands (guard > 0 && mine == guard && until > KILL)
#define isOver(session) (over == session || closed == session)

/* ---- rules that a mutation replaces ---- */
#ifdef MUT_COUNT_REGISTRATION_FROM_ACK
#define SINCE 0
#else
#define SINCE age /* since the registration was sent */
#endif
#ifdef MUT_REGISTRATION_NAMES_MACHINE_ONLY
#define EXACT(session, wasRevoked) (item != X)
#else
#define EXACT(session, wasRevoked) (item == session && revoked == wasRevoked)
#endif
#ifdef MUT_NAME_IS_IDENTITY
#define X_MAY_REGISTER 1
#define sameMachine 1
#else
#define X_MAY_REGISTER isOver(item)
#define sameMachine (item != X)
#endif
#ifdef MUT_REGISTER_BEFORE_CLEAN
#define CLEAN 1
#elif defined(MUT_REGISTER_BEFORE_M)
#define CLEAN (!runs)
#else
#define CLEAN (!runs && lastWrite == 0)
#endif
#ifdef MUT_REPORT_BEFORE_M
#define QUIET 1
#else
#define QUIET (lastWrite == 0)
#endif
#if defined(MUT_START_AGAIN_IN_RELEASED_EPOCH)
#define NOT_RELEASED(number) 1
#else
#define NOT_RELEASED(number) (number > onDisk)
#endif
#ifdef MUT_REPORT_BEFORE_DISK
#define MARKED 1
#else
#define MARKED (onDisk == started)
#endif
#ifdef MUT_RELEASED_OF_ANY_EPOCH
#define RELEASED (reported > 0)
#else
#define RELEASED (reported == epoch)
#endif
#ifdef MUT_LEASE_OVER_OF_ANY_SESSION
#define LEASE_OVER (over > 0)
#else
#define LEASE_OVER (over == owner)
#endif
#ifdef MUT_RESTART_WITHOUT_DEADLINE
#define MAY_RESTART (guard > 0)
#else
#define MAY_RESTART stands
#endif
#ifdef MUT_START_WITHOUT_LEASE
#define MAY_START (guard > 0 && mine == guard)
#else
#define MAY_START stands
#endif

inline check() {
  assert(!(runs && bRuns));          /* I1, I2 */
  assert(!(lastWrite > 0 && bRuns))  /* I2 */
}
inline servicesEnd() {
  if :: runs -> runs = 0; runsIn = 0; lastWrite = WRITE :: else fi
}
inline nothingUnderWay() { beat = none; claim = none; age = 0; accountOf = 0; claimOver = 0; claimOverRevoked = 0 }
inline forgetClaim() { lateClaim = 0; lateOver = 0; lateLife = 0; lateOverRevoked = 0 }
inline giveUp() {
  if
  :: claim == onItsWay && WRITE > 0 ->
     lateClaim = guard; lateOver = claimOver; lateOverRevoked = claimOverRevoked; lateLife = WRITE
  :: else
  fi;
  nothingUnderWay()
}
/* The guard is gone: its lock is free, its services end within b, and what it remembered is lost; the disk is not. */
inline guardEnds() {
  giveUp();
  guard = 0; mine = 0; heir = 0; started = 0; leave = 0; stopped = 0;
  if :: !runs -> until = 0; spent = 0 :: runs && until > KILL -> until = KILL :: else fi
}
inline othersTick() {
  if :: lastWrite > 0 -> lastWrite = lastWrite - 1 :: else fi;
  if
  :: lateLife > 0 ->
     lateLife = lateLife - 1;
     if :: lateLife == 0 -> forgetClaim() :: else fi
  :: else
  fi;
  if :: silent < WAIT -> silent++ :: else fi
}
inline aTick() {
  if
  :: until > 0 ->
     until = until - 1;
     if :: until == 0 -> servicesEnd(); spent = 0 :: else fi
  :: else
  fi;
  if
  :: beat != none || claim != none ->
     age++;
     if :: age > REPLY -> giveUp() :: else fi
  :: else
  fi
}
inline newVersion() { silent = GAIN }
inline grant(from) {
  if
  :: LEASE + KILL - from > until -> until = LEASE + KILL - from; spent = accountOf
  :: LEASE + KILL - from == until -> spent = (spent < accountOf -> spent : accountOf)
  :: else
  fi
}
/* I4: only the owner's services run anywhere; whoever takes the slot from A's session finds them ended. */
inline ownerBecomes(session) {
  printf("the slot has a new owner in epoch %d\n", epoch + 1);
  assert(!runs && !bRuns);
  owner = session; epoch++; check()
}
#define fromA (owner <= GUARDS && epoch < EPOCHS)
#define toA (item <= GUARDS && !revoked)
#define successor (item != owner && sameMachine)

inline start(number) {
  runs = 1; runsIn = number; started = number; lastWrite = 0; stopped = 0;
  if :: until == 0 -> until = KILL :: else fi; /* never so under the rules: a standing lease is asked for */
  printf("> A starts the slot in epoch %d, guard %d\n", number, guard);
  assert(number >= top); top = number; /* I3 */
  check()
}

active proctype world() {
  do
  /* ---- time ---- */
  :: d_step { until > 0 || lastWrite > 0 || beat != none || claim != none || lateLife > 0 || silent < WAIT ->
       printf("> tick\n"); othersTick(); aTick(); check() }
  :: d_step { until > 0 && spent < LOST && (beat == none && claim == none || accountOf < LOST) ->
       printf("> tick, which A does not count: its clock is slow or it is frozen\n");
       spent++; if :: beat != none || claim != none -> accountOf++ :: else fi; othersTick(); check() }

  /* ---- A's guard and machine ---- */
  :: d_step { guard > 0 -> printf("> A's guard %d dies; its services have b left\n", guard); guardEnds() }
  :: d_step { runs -> printf("> A's machine crashes\n"); guardEnds(); servicesEnd(); until = 0; spent = 0 }
  :: d_step { guard == 0 && lives < GUARDS -> lives++; guard = lives; heir = 1;
       printf("> A's guard %d starts: a new boot, or with the old guard's secret\n", guard) }
  :: d_step { guard == 0 && lives < GUARDS -> lives++; guard = lives;
       printf("> A's guard %d starts, without the old guard's secret\n", guard) }
  :: d_step { guard > 0 && mine == 0 && runs -> printf("> A's guard %d stops what it finds running\n", guard);
       servicesEnd(); until = 0; spent = 0 }

  /* ---- S1: registration ---- */
  :: d_step { guard > 0 && mine == 0 && claim == none && item != guard && CLEAN && (sameMachine && heir || isOver(item)) ->
       claim = onItsWay; claimOver = item; claimOverRevoked = revoked;
       printf("> A's guard %d sends a registration over session %d\n", guard, item) }
  :: d_step { claim == onItsWay ->
       if
       :: EXACT(claimOver, claimOverRevoked) -> item = guard; revoked = 0; newVersion(); claim = landed;
          printf("> session %d is registered\n", guard)
       :: else -> nothingUnderWay(); printf("> the registration of session %d is refused: another one came first\n", guard)
       fi }
  :: d_step { claim == landed -> mine = guard; grant(SINCE); nothingUnderWay();
       printf("> A's guard %d hears that it is registered\n", guard) }
  :: d_step { guard > 0 && mine == 0 && claim == none && item == guard && !revoked -> mine = guard;
       printf("> A's guard %d reads that it is registered\n", guard) }
  :: d_step { lateLife > 0 ->
       if
       :: EXACT(lateOver, lateOverRevoked) -> item = lateClaim; revoked = 0; newVersion();
          printf("> session %d is registered late\n", lateClaim);
          if :: guard != lateClaim -> GOAL(0, "a registration lands after its guard is gone") :: else fi
       :: else -> printf("> the late registration of session %d is refused\n", lateClaim); GOAL(1, "a late registration is refused")
       fi; forgetClaim() }
  /* X bears A's name. It may have the name only when the session that the item shows is over. */
  :: d_step { X_MAY_REGISTER && item != X -> item = X; revoked = 0; newVersion();
       printf("> X registers under A's name\n"); GOAL(2, "another machine takes the name when it is free") }

  /* ---- S2, S3: renewal ---- */
  :: d_step { guard > 0 && mine == guard && beat == none -> beat = onItsWay; printf("> A sends a renewal of session %d\n", mine) }
  :: d_step { beat == onItsWay ->
       if
       :: item == mine && !revoked -> beat = landed; newVersion(); printf("> the renewal of session %d lands\n", mine)
       :: else -> beat = refused; printf("> the renewal of session %d is refused\n", mine)
       fi }
  :: d_step { beat == landed ->
       if :: until == 0 -> GOAL(3, "a session comes back after its lease was over") :: else fi;
       grant(age); nothingUnderWay(); printf("> A hears of it: its lease stands %d more\n", until - KILL) }
  :: d_step { beat == refused -> printf("> A hears that session %d is over, and stops\n", mine); guardEnds(); GOAL(4, "A is refused and stops") }

  /* ---- S6: start, restart, release ---- */
  :: d_step { guard > 0 && mine == guard && owner == guard && leave < epoch -> leave = epoch;
       printf("> A's guard %d reads that it owns the slot in epoch %d\n", guard, epoch) }
  :: d_step { leave > 0 && started != leave && !runs && NOT_RELEASED(leave) && MAY_START -> start(leave);
       if :: guard > 1 && leave == 2 -> GOAL(5, "a restart by successor") :: else fi;
       if :: top > 2 -> GOAL(6, "A runs again after B") :: else fi }
  :: d_step { runs -> servicesEnd(); printf("> A's services crash\n") }
  :: d_step { guard > 0 && started > 0 && !runs && NOT_RELEASED(started) && MAY_RESTART -> start(started);
       GOAL(7, "a restart within the epoch") }
  :: d_step { guard > 0 && started > 0 && !stopped && started > onDisk -> servicesEnd(); stopped = 1;
       printf("> A stops the slot, to release it\n") }
  :: d_step { stopped && QUIET && onDisk < started -> onDisk = started; printf("> A writes to its disk that epoch %d is released\n", started) }
  :: d_step { stopped && QUIET && MARKED && reported < started -> reported = started; printf("> A reports epoch %d released\n", started) }
  :: d_step { guard > 0 && mine == guard && !runs && QUIET && item == mine && !revoked ->
       closed = mine; printf("> A closes session %d\n", mine); guardEnds() }

  /* ---- control plane ---- */
  :: d_step { !revoked -> revoked = 1; printf("> session %d is revoked on exactly this version\n", item) }
  :: d_step { revoked && silent == WAIT && over != item -> over = item; printf("> lease-over is found about session %d\n", item) }

  /* ---- S7: the slot goes to B ---- */
  :: d_step { fromA && RELEASED -> printf("> released, to B: "); ownerBecomes(B); GOAL(8, "takeover by released") }
  :: d_step { fromA && closed == owner -> printf("> closed, to B: "); ownerBecomes(B); GOAL(9, "takeover by closed") }
  :: d_step { fromA && LEASE_OVER -> printf("> lease-over, to B: "); ownerBecomes(B); GOAL(10, "takeover by lease-over") }
  :: d_step { fromA && successor -> printf("> successor, to B: "); ownerBecomes(B); GOAL(11, "takeover by successor") }
  /* ... or to the session that A has now: a restart, or a rollback, which is a new epoch. */
  :: d_step { fromA && toA && RELEASED -> printf("> released, to session %d: ", item); ownerBecomes(item); GOAL(12, "rollback to the session that released") }
  :: d_step { fromA && toA && (closed == owner || LEASE_OVER) && item != owner -> printf("> closed or lease-over, to session %d: ", item); ownerBecomes(item) }
  :: d_step { fromA && toA && successor -> printf("> successor, to session %d: ", item); ownerBecomes(item) }
  :: d_step { owner == B && !bRuns && epoch > top -> bRuns = 1; printf("> B starts the slot in epoch %d\n", epoch);
       assert(epoch > top); top = epoch; check() }
  :: d_step { owner == B && epoch < EPOCHS && toA -> bRuns = 0; printf("> B has stopped, and reports epoch %d released\n", epoch);
       printf("> released, to session %d: ", item); ownerBecomes(item) }
  od
}
