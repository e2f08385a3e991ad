import { type FormEvent, useEffect, useState } from "react";
import { thumbnailUrl } from "../../api/collections";
import { forgetUser } from "../../api/recommend";
import { setParams } from "../../state/address";
import type { Likes } from "../../state/likes";
import { Button, IconButton } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { TextField } from "../../ui/fields";
import { ForbiddenNote } from "../../ui/forbidden";
import { toast, toastError } from "../../ui/toasts";
import css from "./recommend.module.css";

function Thumbs({ title, ids, collection, nameOf, onForget }: { title: string; ids: readonly string[]; collection: string; nameOf: (id: string) => string; onForget: ((id: string) => void) | null }) {
  if (ids.length === 0) return null;
  return (
    <div>
      <h3>
        {title} <span className="count">{ids.length}</span>
      </h3>
      <ul className={css["thumbs"]} aria-label={title}>
        {[...ids].reverse().map((id) => (
          <li key={id} title={id}>
            <img src={thumbnailUrl(collection, id)} alt={nameOf(id)} loading="lazy" />
            {onForget && <IconButton small icon="close" label={`Take back ${nameOf(id)}`} onClick={() => onForget(id)} />}
          </li>
        ))}
      </ul>
    </div>
  );
}

function ForgetUser({ collection, user, onForgotten }: { collection: string; user: string; onForgotten: () => void }) {
  const [asking, setAsking] = useState(false);
  const forget = async () => {
    setAsking(false);
    try {
      const { forgotten } = await forgetUser(collection, user);
      toast(`${forgotten} ${forgotten === 1 ? "event" : "events"} of ${user} removed`);
      onForgotten();
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <>
      <Button small look="danger" icon="trash" needs="write" onClick={() => setAsking(true)}>
        Forget this user
      </Button>
      {asking && (
        <Dialog
          title={`Forget ${user}?`}
          onClose={() => setAsking(false)}
          footer={
            <>
              <Button onClick={() => setAsking(false)}>Cancel</Button>
              <Button look="danger" icon="trash" onClick={() => void forget()}>
                Remove all events
              </Button>
            </>
          }
        >
          <p>All events of this user are removed from the collection. That cannot be undone.</p>
        </Dialog>
      )}
    </>
  );
}

interface TasteProps {
  collection: string;
  user: string | null;
  taste: Likes;
  nameOf: (id: string) => string;
  onForget: (id: string) => void;
  onReset: () => void;
  onUserForgotten: () => void;
}

/** Whose taste it is, and what it is made of. */
export function Taste({ collection, user, taste, nameOf, onForget, onReset, onUserForgotten }: TasteProps) {
  const [text, setText] = useState(user ?? "");
  useEffect(() => setText(user ?? ""), [user]);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setParams({ user: text.trim() || null });
  };
  const any = taste.likes.length + taste.dislikes.length > 0;
  return (
    <section className={`panel ${css["taste"]}`} aria-label="Taste">
      <form className={css["user"]} onSubmit={submit}>
        <TextField
          label="User"
          placeholder="none: this tab only"
          value={text}
          onChange={setText}
          hint={user ? "What is liked here is recorded for this user." : "With a user, likes are recorded as events."}
        />
        <div className="row">
          <Button small type="submit" icon="user">
            {user ? "Change" : "Use"}
          </Button>
          {user && (
            <Button small onClick={() => setParams({ user: null })}>
              Without a user
            </Button>
          )}
          {user && <ForgetUser collection={collection} user={user} onForgotten={onUserForgotten} />}
        </div>
        {user && <ForbiddenNote needs="write" />}
      </form>
      <Thumbs title="Liked" ids={taste.likes} collection={collection} nameOf={nameOf} onForget={user ? null : onForget} />
      <Thumbs title="Disliked" ids={taste.dislikes} collection={collection} nameOf={nameOf} onForget={user ? null : onForget} />
      {any && !user && (
        <Button small icon="refresh" onClick={onReset}>
          Start anew
        </Button>
      )}
    </section>
  );
}
