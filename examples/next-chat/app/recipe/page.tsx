'use client';

import { useObject } from '@ai-sdk/react';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { recipeSchema } from '../api/recipe/schema';

export default function RecipePage(): ReactNode {
  const [dish, setDish] = useState('pancakes');
  // A stream of text has no place for an error: what is no recipe at its end was cut.
  const [cut, setCut] = useState(false);
  const { object, submit, stop, isLoading, error } = useObject({
    api: '/api/recipe',
    schema: recipeSchema,
    onFinish: ({ object }) => setCut(object === undefined),
  });
  const problem = error?.message ?? (cut ? 'The recipe was cut off.' : undefined);
  const state = isLoading
    ? 'streaming'
    : problem !== undefined
      ? 'error'
      : object === undefined
        ? 'empty'
        : 'done';

  return (
    <main className="recipe" data-status={state}>
      <form
        className="recipe-form"
        onSubmit={(event) => {
          event.preventDefault();
          setCut(false);
          submit(dish);
        }}
      >
        <label>
          A recipe for
          <input value={dish} onChange={(event) => setDish(event.target.value)} />
        </label>
        {isLoading ? (
          <button type="button" className="stop" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="submit" className="send" disabled={dish.trim() === ''}>
            Write
          </button>
        )}
      </form>
      <p className="hint">
        The form of the answer is enforced. What stands in it is the model&rsquo;s: a tiny one writes nonsense
        in the right form.
      </p>
      {problem !== undefined && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {object !== undefined && (
        <article className="card" aria-busy={isLoading}>
          <h1>{object.name}</h1>
          <p className="facts">
            {object.servings !== undefined && <span>serves {object.servings}</span>}
            {object.difficulty !== undefined && <span>{object.difficulty}</span>}
          </p>
          <ul>
            {object.ingredients?.map((ingredient, index) => (
              <li key={index}>{ingredient}</li>
            ))}
          </ul>
          <ol>
            {object.steps?.map((step, index) => (
              <li key={index}>{step?.replace(/^\d+[.)]\s*/, '')}</li>
            ))}
          </ol>
          <details>
            <summary>JSON</summary>
            <pre>{JSON.stringify(object, undefined, 2)}</pre>
          </details>
        </article>
      )}
    </main>
  );
}
