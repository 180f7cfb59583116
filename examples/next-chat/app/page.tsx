import type { ReactNode } from 'react';
import { Chat } from '@/components/chat';
import { modelReference } from '@/lib/model';

// The model's name is read from the environment of the server, not of the build.
export const dynamic = 'force-dynamic';

export default function Page(): ReactNode {
  return <Chat modelName={modelReference} />;
}
