import { useState } from 'preact/hooks';
import { messageOf } from '../../core/failures/failures.ts';
import type { PlanView } from '../../core/protocol/views.ts';
import { note } from '../data/note.ts';
import { to } from '../model/routes.ts';
import { sentence } from '../model/words.ts';
import { Answer, useAsked } from './asked.tsx';
import { Glyph } from './badge.tsx';
import { Dialog } from './dialog.tsx';
import { Trouble } from './notice.tsx';

export interface Doing {
  readonly reason: string;
  readonly force: boolean;
  readonly name: string;
}

export interface PlanProps {
  readonly title: string;
  readonly says: string;
  /** On the button. */
  readonly verb: string;
  readonly needsReason: boolean;
  /** This name has to be typed. */
  readonly needsName: string | null;
  readonly isDangerous: boolean;
  readonly plan: () => Promise<PlanView>;
  readonly act: (doing: Doing) => Promise<PlanView>;
  readonly onClose: () => void;
}

/** First what would happen, then the button that does it. */
export function PlanDialog(props: PlanProps) {
  const { asked, again } = useAsked(props.title, props.plan);
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <p class="aside">{props.says}</p>
      <Answer of={asked} again={again} waiting="Working out what would happen…">
        {(plan) => <Confirm {...props} planned={plan} />}
      </Answer>
    </Dialog>
  );
}

function Confirm(props: PlanProps & { readonly planned: PlanView }) {
  const { planned, needsName, needsReason } = props;
  const [doing, setDoing] = useState<Doing>({ reason: '', force: false, name: '' });
  const [trouble, setTrouble] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const isReady =
    (!needsReason || doing.reason.trim() !== '') &&
    (needsName === null || doing.name === needsName) &&
    (planned.objections.length === 0 || doing.force);
  const act = (event: Event): void => {
    event.preventDefault();
    if (!isReady || isBusy) return;
    setBusy(true);
    props.act(doing).then(
      (done) => {
        note.set({
          tone: 'good',
          says: `${props.title}: done. ${done.plan.map(sentence).join(' ')}`,
          ...(done.runs[0] === undefined ? {} : { link: { href: to.run(done.runs[0]), says: 'Watch the run' } }),
        });
        props.onClose();
      },
      (error: unknown) => {
        setBusy(false);
        setTrouble(messageOf(error));
      },
    );
  };
  return (
    <form onSubmit={act}>
      <PlanText plan={planned} />
      <Questions {...props} doing={doing} onChange={setDoing} />
      {trouble !== null && <Trouble says={trouble} />}
      <footer class="dialog-foot">
        <button type="button" onClick={props.onClose}>
          Cancel
        </button>
        <button type="submit" class={props.isDangerous ? 'danger' : 'primary'} disabled={!isReady || isBusy}>
          {isBusy ? 'Doing it…' : props.verb}
        </button>
      </footer>
    </form>
  );
}

export function PlanText({ plan }: { readonly plan: Pick<PlanView, 'plan' | 'objections'> }) {
  return (
    <>
      <h3>What would happen</h3>
      {plan.plan.length === 0 ? (
        <p>Nothing runs on it: nothing would move.</p>
      ) : (
        <ol class="plan">
          {plan.plan.map((line) => (
            <li key={line}>{sentence(line)}</li>
          ))}
        </ol>
      )}
      {plan.objections.length > 0 && (
        <div class="objections">
          <h3>What speaks against it</h3>
          <ul>
            {plan.objections.map((line) => (
              <li key={line}>
                <Glyph tone="warn" /> {sentence(line)}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

function Questions(
  props: PlanProps & { readonly planned: PlanView; readonly doing: Doing; readonly onChange: (doing: Doing) => void },
) {
  const { doing, onChange, needsName, needsReason, planned } = props;
  return (
    <div class="questions">
      <label class="field">
        <span>Why, for the record{needsReason ? '' : ' (optional)'}</span>
        <input
          type="text"
          maxLength={200}
          required={needsReason}
          value={doing.reason}
          onInput={(event) => onChange({ ...doing, reason: event.currentTarget.value })}
        />
      </label>
      {needsName !== null && (
        <label class="field">
          <span>
            Type <strong>{needsName}</strong> to confirm
          </span>
          <input
            type="text"
            autocomplete="off"
            spellcheck={false}
            value={doing.name}
            onInput={(event) => onChange({ ...doing, name: event.currentTarget.value })}
          />
        </label>
      )}
      {planned.objections.length > 0 && (
        <label class="check">
          <input
            type="checkbox"
            checked={doing.force}
            onChange={(event) => onChange({ ...doing, force: event.currentTarget.checked })}
          />
          Do it all the same. No safety rule is overridden by this.
        </label>
      )}
    </div>
  );
}
